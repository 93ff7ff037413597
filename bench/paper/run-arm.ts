import type { ApiClient } from '../../cli/client/api-client.js';
import type { Screen } from '../../cli/quickstart/screen.js';
import type { Evaluation, TrainingRun, TrainingStep } from '../../cli/client/api-types.js';
import { canonicalJson } from '../../infra/artifacts/canonical-json.js';
import type { RunConfig } from '../../contracts/run-config.js';
import { followRun } from '../follow-run.js';

/** What an arm came to. */
export interface ArmResult {
  runId: string;
  /** Submission to end, evaluations included. */
  seconds: number;
  before: Measured;
  after: Measured;
  policySha256: string;
  /** Calls per tool in the rollouts of each step, in order; empty where no rollouts were made. */
  toolMix: Record<string, number>[];
}

export type Measured = Pick<
  Evaluation,
  'step' | 'accuracy' | 'interval' | 'questions' | 'by_family' | 'mean_turns' | 'tool_mix'
>;

/**
 * Runs a configuration to its end. One that was begun before goes on where it is, and one that is finished is not run
 * again: an experiment of an hour may be interrupted.
 * @throws Error where the run does not complete
 */
export async function runArm(
  client: ApiClient,
  config: RunConfig,
  screen: Screen,
  signal: AbortSignal,
): Promise<ArmResult> {
  const run = (await sameRun(client, config)) ?? (await client.createRun(submission(config)));
  if (run.status === 'paused') await client.resume(run.id);
  screen.say(`${run.id}: ${run.name}, seed ${config.seed}, ${run.status}`);
  const ended = await followRun(client, run, screen, signal);
  return resultOf(ended, await client.listEvaluations(run.id), await client.listSteps(run.id));
}

async function sameRun(client: ApiClient, config: RunConfig): Promise<TrainingRun | undefined> {
  const wanted = canonicalJson(config);
  const { data } = await client.listRuns({ limit: 100 });
  return data.find(
    (run) =>
      !['cancelled', 'failed'].includes(run.status) && canonicalJson({ ...run.config, name: config.name }) === wanted,
  );
}

function submission(config: RunConfig) {
  return { body: JSON.stringify(config), contentType: 'application/json' } as const;
}

function resultOf(run: TrainingRun, evaluations: Evaluation[], steps: TrainingStep[]): ArmResult {
  const at = (step: number): Measured => {
    const found = evaluations.find((evaluation) => evaluation.planner === 'policy' && evaluation.step === step);
    if (!found) throw new Error(`${run.id} has no evaluation of its policy after step ${step}.`);
    const { accuracy, interval, questions, by_family, mean_turns, tool_mix } = found;
    return { step, accuracy, interval, questions, by_family, mean_turns, tool_mix };
  };
  return {
    runId: run.id,
    seconds: (Date.parse(run.finished_at ?? '') - Date.parse(run.created_at)) / 1000,
    before: at(0),
    after: at(run.step),
    policySha256: run.policy_sha256 ?? '',
    toolMix: steps.flatMap(({ metrics }) => metrics['tool_mix'] ?? []) as ArmResult['toolMix'],
  };
}
