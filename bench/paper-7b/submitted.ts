import { setTimeout as sleep } from 'node:timers/promises';
import { evaluationConfigSchema } from '../../contracts/evaluation-config.js';
import { runConfigSchema } from '../../contracts/run-config.js';
import { all, type ApiClient } from '../../cli/client/api-client.js';
import type { BenchmarkEvaluation, TrainingRun } from '../../cli/client/api-types.js';
import { ApiUnreachable } from '../../cli/client/api-errors.js';
import type { Screen } from '../../cli/quickstart/screen.js';
import { canonicalJson } from '../../infra/artifacts/canonical-json.js';
import { followRun } from '../follow-run.js';
import { namingRuns, type EvaluationStage, type RunStage, type Stage } from './stages.js';

/*
 * A stage is submitted once: what was submitted with the same configuration, and has not failed, is the stage. So an
 * experiment that takes days can be interrupted anywhere, and its command repeated.
 */

const POLL_MS = 2_000;
const DEAD = ['cancelled', 'failed'];

/** Runs of stages that were submitted before, by the stage's name. */
export type Runs = Map<string, string>;

/** What was submitted of a stage; undefined if nothing was. */
export async function findSubmitted(
  client: ApiClient,
  stage: Stage,
  runs: Runs,
): Promise<TrainingRun | BenchmarkEvaluation | undefined> {
  return stage.kind === 'run' ? findRun(client, stage) : findEvaluation(client, stage, runs);
}

async function findRun(client: ApiClient, { config }: RunStage): Promise<TrainingRun | undefined> {
  const same = sameAs(config);
  const runs = await all(String, (query) => client.listRuns(query));
  return runs.find((run) => !DEAD.includes(run.status) && same(runConfigSchema.parse(run.config)));
}

async function findEvaluation(
  client: ApiClient,
  stage: EvaluationStage,
  runs: Runs,
): Promise<BenchmarkEvaluation | undefined> {
  const same = sameAs(namingRuns(stage, runs));
  const evaluations = await client.listBenchmarkEvaluations();
  return evaluations.find(({ status, config }) => !DEAD.includes(status) && same(evaluationConfigSchema.parse(config)));
}

function sameAs(config: object): (other: object) => boolean {
  const wanted = canonicalJson(config);
  return (other) => canonicalJson(other) === wanted;
}

/**
 * Submits the stage's run, if it was not, and shows it until it ends.
 * @throws Error if it does not complete; the message says how it goes on
 */
export async function runTraining(
  client: ApiClient,
  stage: RunStage,
  screen: Screen,
  signal: AbortSignal,
): Promise<TrainingRun> {
  const run = (await findRun(client, stage)) ?? (await client.createRun(body(stage.config)));
  screen.say(`${run.id}: ${run.status}`);
  return followRun(client, run, screen, signal);
}

/** The same for an evaluation, which then has a report. @throws Error */
export async function runEvaluation(
  client: ApiClient,
  stage: EvaluationStage,
  runs: Runs,
  screen: Screen,
  signal: AbortSignal,
): Promise<BenchmarkEvaluation> {
  const config = namingRuns(stage, runs);
  let evaluation = (await findEvaluation(client, stage, runs)) ?? (await client.createEvaluation(body(config)));
  screen.say(`${evaluation.id}: ${evaluation.status}`);
  while (['queued', 'running'].includes(evaluation.status)) {
    await sleep(POLL_MS, undefined, { signal });
    evaluation = await client.getEvaluation(evaluation.id).catch((error: unknown) => {
      if (error instanceof ApiUnreachable) return evaluation;
      throw error;
    });
  }
  const { id, status, failure } = evaluation;
  if (status === 'completed') return evaluation;
  throw new Error(
    `${id} is ${status}${failure ? `: ${failure.message}` : ''}. npx agentflow eval --id ${id} --resume continues a paused one.`,
  );
}

function body(config: object) {
  return { body: JSON.stringify(config), contentType: 'application/json' } as const;
}
