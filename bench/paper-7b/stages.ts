import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import type { EvaluationConfig } from '../../contracts/evaluation-config.js';
import type { RunConfig } from '../../contracts/run-config.js';
import { checkRunConfig } from '../../infra/config/submitted/check-run-config.js';
import { checkEvaluationConfig } from '../../infra/config/submitted/check-evaluation-config.js';
import { listIssues, type DescribedIssues } from '../../infra/config/submitted/config-issues.js';
import { loadOperatorFile, type OperatorFile } from '../../infra/config/operator-file.js';
import { parseYaml } from '../../infra/documents/yaml-document.js';

const stageName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,40}$/);
const file = z.string().min(1);
const stagesSchema = z.strictObject({
  operator: file,
  stages: z
    .array(
      z.union([z.strictObject({ name: stageName, run: file }), z.strictObject({ name: stageName, evaluation: file })]),
    )
    .min(1),
});

export interface RunStage {
  kind: 'run';
  name: string;
  file: string;
  config: RunConfig;
}

export interface EvaluationStage {
  kind: 'evaluation';
  name: string;
  file: string;
  /** Its policies may name a stage, as in `train@32`: `namingRuns` puts the run's id there. */
  config: EvaluationConfig;
}

export type Stage = RunStage | EvaluationStage;

export interface Experiment {
  operatorFile: string;
  operator: OperatorFile;
  stages: Stage[];
}

/**
 * Reads the stages of an experiment and checks everything that can be checked without a server.
 * @param path of the file that lists the stages; the other files are named in relation to it
 * @param operatorFile instead of the one that the file names
 * @throws Error that names the file and every wrong key
 */
export async function readExperiment(path: string, operatorFile?: string): Promise<Experiment> {
  const listed = stagesSchema.safeParse(parseYaml(await readFile(path, 'utf8')));
  if (!listed.success) throw new Error(`${path}: ${z.prettifyError(listed.error)}`);
  const beside = (name: string): string => resolve(dirname(path), name);
  const operatorPath = operatorFile ?? beside(listed.data.operator);
  const operator = loadOperatorFile(operatorPath);
  const stages = [];
  for (const stage of listed.data.stages) {
    const stagePath = beside('run' in stage ? stage.run : stage.evaluation);
    const value = parseYaml(await readFile(stagePath, 'utf8'));
    stages.push(
      'run' in stage
        ? {
            kind: 'run' as const,
            name: stage.name,
            file: stagePath,
            config: accept(stagePath, checkRunConfig(value, operator)),
          }
        : {
            kind: 'evaluation' as const,
            name: stage.name,
            file: stagePath,
            config: accept(stagePath, checkEvaluationConfig(value, operator)),
          },
    );
  }
  requireEarlierRuns(path, stages);
  return { operatorFile: operatorPath, operator, stages };
}

function accept<Config>(path: string, checked: { config: Config } | DescribedIssues): Config {
  if ('config' in checked) return checked.config;
  throw new Error(`${path}:\n${listIssues(checked.issues, checked.more).lines}`);
}

/** The stages that an evaluation's policies come from. */
export function runsNamedBy({ config }: EvaluationStage): string[] {
  return [...new Set(config.policies.filter((policy) => policy !== 'base').map((policy) => stageOf(policy)))];
}

/** The evaluation as it is submitted: with ids of runs in the place of names of stages. */
export function namingRuns({ config }: EvaluationStage, runs: ReadonlyMap<string, string>): EvaluationConfig {
  const policies = config.policies.map((policy) => {
    const run = runs.get(stageOf(policy));
    return run === undefined ? policy : `${run}${policy.slice(policy.lastIndexOf('@'))}`;
  });
  return { ...config, policies };
}

function stageOf(policy: string): string {
  return policy.slice(0, policy.lastIndexOf('@'));
}

function requireEarlierRuns(path: string, stages: readonly Stage[]): void {
  for (const [index, stage] of stages.entries()) {
    if (stage.kind === 'run') continue;
    const earlier = stages.slice(0, index).filter(({ kind }) => kind === 'run');
    for (const name of runsNamedBy(stage)) {
      const run = earlier.find((other) => other.name === name) as RunStage | undefined;
      if (!run) throw new Error(`${path}: the stage ${stage.name} evaluates ${name}, which no stage before it trains.`);
      const beyond = stage.config.policies.find(
        (policy) => stageOf(policy) === name && Number(policy.split('@')[1]) > run.config.steps,
      );
      if (beyond)
        throw new Error(`${path}: the stage ${stage.name} evaluates ${beyond}; ${name} has ${run.config.steps} steps.`);
    }
  }
}
