import type { PolicyRef } from './artifacts.js';
import type { EvaluationSummary, RunFailure, RunStatus, StepDecision } from './agent-activities.js';
import type { AgentFlowResult, Query } from './flow.js';
import type { FlowConfig } from './flow-config.js';
import type { ChangeablePart } from './identity.js';
import type { PlannerEngine, RunConfig } from './run-config.js';

/** The operator's patience, in seconds, and queues: from the server-side file, never from a submitted configuration (I12). */
export interface RunSettings {
  /** A trainStep that has not heartbeat for so long is given to another worker. */
  train_heartbeat_s: number;
  /** How long a step waits for the trainer worker that holds the run's state before any other may take it. */
  trainer_sticky_s: number;
  /** The same for every other activity; agent workers heartbeat by themselves while a call is open. */
  call_heartbeat_s: number;
  /** How long a call may go on failing for infrastructure reasons before its rollout is excluded. */
  patience_s: number;
  /** How long a group may take in all before its open rollouts are excluded. */
  group_deadline_s: number;
  /** Task queue of each language model whose provider has limits, by the model's registered name. */
  model_queues?: Record<string, string>;
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
  /** How often `flow.budget` was granted: once where absent, and once more with each resume after it was spent. */
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
}

export interface TrainingRunResult {
  status: RunStatus;
  step: number;
  /** Absent where the run was cancelled before policy 0 was there. */
  policy?: PolicyRef;
}

export interface PauseOptions {
  now?: boolean;
}

export interface ResumeOptions {
  allow?: ChangeablePart[];
}

/** Answer of the `progress` query. */
export interface TrainingRunProgress extends TrainingRunState {
  phase: string;
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
}

export interface EvaluationTally {
  asked: number;
  failed: number;
  turns: number;
  byFamily: Record<string, { questions: number; correct: number }>;
  toolMix: Record<string, number>;
}

export type EvaluationResult = EvaluationSummary;
