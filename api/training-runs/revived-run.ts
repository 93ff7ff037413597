import type { HeldOutEvaluation, TrainingRun, TrainingStep } from '../../infra/database/entities/index.js';
import type { TrainingRunState } from '../../contracts/training-run.js';
import type { RevivedInput } from './start-run.js';

/** What tells where a run stands, besides its row. */
export interface RunRows {
  /** Of the last committed step; undefined before the first. */
  lastStep?: Pick<TrainingStep, 'metrics'>;
  /** Held-out evaluations of the policy and of the yardsticks. */
  evaluations: readonly Pick<HeldOutEvaluation, 'step' | 'planner' | 'accuracy'>[];
  /** Parts of the identity that were allowed to change (events `identity.allowed`), oldest first. */
  allowed: readonly Record<string, string>[];
}

/**
 * Where a run goes on after its workflow was gone: after its last recorded step, with what its workflow wrote of
 * itself. A run that was paused goes on too: whoever revives it wants that. A step that is committed but not recorded
 * is taken again, and its commit is then found.
 *
 * The state of a run of an older version, which kept none, is made from its rows. Its identity is resolved anew.
 */
export function revivedRun(run: TrainingRun, rows: RunRows): RevivedInput {
  const { step, steps, statusVersion } = run;
  const evaluated = rows.evaluations.filter((evaluation) => evaluation.step === step);
  const ofPolicy = rows.evaluations.filter(({ planner }) => planner === 'policy').toSorted((a, b) => a.step - b.step);
  const last = ofPolicy.at(-1);
  const state: TrainingRunState = {
    ...(run.state ?? withoutState(run, rows)),
    status: 'queued',
    statusVersion,
    step,
    steps,
    pauseRequested: false,
    failure: undefined,
    // Any trainer takes the first call, and recovers the state.
    trainerQueue: undefined,
    ...(run.policyName !== null &&
      run.policySha256 !== null && { policy: { name: run.policyName, sha256: run.policySha256 } }),
    ...(last && { evaluatedStep: last.step, lastAccuracy: last.accuracy }),
  };
  return { state, revived: { evaluated: evaluated.map(({ planner }) => planner) } };
}

function withoutState({ config }: TrainingRun, { lastStep, allowed }: RunRows): TrainingRunState {
  const rate = lastStep?.metrics['learning_rate'];
  const learningRate = typeof rate === 'number' && rate !== config.training.learning_rate ? rate : undefined;
  return {
    step: 0,
    status: 'queued',
    statusVersion: 0,
    steps: config.steps,
    identity: {},
    draws: 0,
    checkpointStep: 0,
    pauseRequested: false,
    stopRequested: false,
    ...(learningRate !== undefined && { learningRate }),
    ...(allowed.length > 0 && { allowed: Object.assign({}, ...allowed) as Record<string, string> }),
  };
}
