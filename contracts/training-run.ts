import type { PolicyRef } from './artifacts.js';
import type { RunFailure } from './failures.js';
import type { AgentFlowResult, Query } from './flow.js';
import type { FlowConfig } from './flow-config.js';
import type { PlannerEngine, RunConfig } from './run-config.js';
import type { RunSettings } from './run-settings.js';

export type RunStatus =
  'queued' | 'running' | 'pausing' | 'paused' | 'cancelling' | 'cancelled' | 'completed' | 'failed';

/** The statuses that a run may have after each, as its workflow writes them; none after the last (docs/runs.md). */
export const NEXT_STATUSES: Record<RunStatus, readonly RunStatus[]> = {
  queued: ['running', 'pausing', 'failed'],
  running: ['pausing', 'paused', 'cancelling', 'completed', 'failed'],
  pausing: ['running', 'paused', 'cancelling', 'completed', 'failed'],
  paused: ['running', 'pausing', 'cancelling', 'failed'],
  cancelling: ['cancelled', 'failed'],
  cancelled: [],
  completed: [],
  failed: [],
};

/** Whether a status may be written after another. One that is not the last may be written again, with other changes. */
export function mayFollow<Status extends string>(
  next: Readonly<Record<Status, readonly Status[]>>,
  before: Status,
  status: Status,
): boolean {
  return next[before].includes(status) || (before === status && next[before].length > 0);
}

/** What a person decided about a step whose loss was not finite: frozen with the batch, so that it replays (I4). */
export interface StepDecision {
  /** Groups that the step leaves out. */
  skipGroups: number[];
  /** The step makes no update. */
  skipStep: boolean;
}

/** What a training run carries across continue-as-new: everything that is not derived from its input. */
export interface TrainingRunState {
  /** The last committed step. */
  step: number;
  /** Undefined until initPolicy has run. */
  policy?: PolicyRef;
  /** The identity part of the configuration (I8), resolved once. */
  identity: Record<string, string>;
  /** Parts of it that changed under the run and were allowed, with what they are now. */
  allowed?: Record<string, string>;
  /** The reference policy of the KL term, resolved once; absent for the base model. */
  reference?: PolicyRef;
  /** Task queue of the trainer worker that holds the state of the last step. */
  trainerQueue?: string;
  /** Queries drawn so far, all steps together: the cursor into the training questions. */
  draws: number;
  /** What was decided about the step that comes next; forgotten when it is committed. */
  decision?: StepDecision & { revision: number };
  /** The last step whose policy was evaluated; undefined before the first evaluation. */
  evaluatedStep?: number;
  /** The last step whose trainer state is a checkpoint. */
  checkpointStep: number;
  status: RunStatus;
  statusVersion: number;
  /** Total steps asked for: the configuration's, or what `extend` made of it. */
  steps: number;
  learningRate?: number;
  /** How often `flow.budget` was granted: once if absent, and once more with each resume after it was spent. */
  budgets?: number;
  pauseRequested: boolean;
  stopRequested: boolean;
  failure?: RunFailure;
  lastReward?: number;
  lastAccuracy?: number;
}

export interface TrainingRunInput {
  runId: string;
  config: RunConfig;
  settings: RunSettings;
  state?: TrainingRunState;
  /** Present, with `state`, if the run goes on after its workflow was gone, until it has made up for what it lacks. */
  revived?: RevivedRun;
}

export interface RevivedRun {
  /** Held-out evaluations of the last committed step that are recorded, by planner. */
  evaluated: PlannerEngine[];
}

export interface TrainingRunResult {
  status: RunStatus;
  step: number;
  /** Absent if the run was cancelled before policy 0 was there. */
  policy?: PolicyRef;
}

export interface RolloutGroupInput {
  runId: string;
  runSeed: number;
  step: number;
  group: number;
  rollouts: number;
  query: Query;
  model: string;
  config: FlowConfig;
  policy: PolicyRef;
  settings: RunSettings;
  /** What its calls must agree in (RunAgreement). */
  identity?: Record<string, string>;
}

export interface RolloutGroupResult {
  group: number;
  rollouts: AgentFlowResult[];
}

export interface EvaluationInput {
  runId: string;
  runSeed: number;
  step: number;
  planner: PlannerEngine;
  policy: PolicyRef;
  config: RunConfig;
  settings: RunSettings;
  /** What its calls must agree in (RunAgreement). */
  identity?: Record<string, string>;
  /** Partial results, carried across continue-as-new. */
  tally?: EvaluationTally;
  /** Whether its flows are held from the start. */
  held?: boolean;
}

export interface EvaluationTally {
  asked: number;
  failed: number;
  turns: number;
  byFamily: Record<string, { questions: number; correct: number }>;
  toolMix: Record<string, number>;
}

export interface EvaluationSummary {
  id: string;
  runId: string;
  step: number;
  planner: PlannerEngine;
  policy: PolicyRef;
  questions: number;
  correct: number;
  /** Flows that ended excluded: counted as wrong, shown apart. */
  failed: number;
  accuracy: number;
  /** 95 % Wilson interval. */
  interval: [number, number];
  byFamily: Record<string, { questions: number; correct: number; accuracy: number }>;
  meanTurns: number;
  toolMix: Record<string, number>;
}
