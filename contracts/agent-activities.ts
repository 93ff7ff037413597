import type { ArtifactRef, PolicyRef } from './artifacts.js';
import type { FlowActivities } from './submitted-flow.js';
import type { BenchmarkEvaluationActivities } from './benchmark-evaluation.js';
import type { ExportActivities } from './policy-export.js';
import type { RunFailure } from './failures.js';
import type { AgentFlowResult, Analysis, FlowRef, MemoryEntry, Query, TurnRecord } from './flow.js';
import type {
  AnswerKind,
  FlowConfig,
  JudgeConfig,
  ModuleConfig,
  PlannerConfig,
  ToolEngineConfig,
} from './flow-config.js';
import type { ChangeablePart } from './identity.js';
import type { CallMistakeKind, PlanMistakeKind } from './mistakes.js';
import type { RowWriter } from './row-writer.js';
import type { RunConfig } from './run-config.js';
import type { Grading, RewardChoice, RulesVersion, UndecidedChoice } from './scoring.js';
import type { QueueActivities } from './task-queues.js';
import type { TrainStepResult } from './trainer-activities.js';
import type { RolloutTraining, RecordedTraining } from './training-config.js';
import type { EvaluationSummary, RunStatus, StepDecision, TrainingRunState } from './training-run.js';
import type { UploadActivities } from './uploaded-dataset.js';
import type { WebhookActivities } from './webhooks.js';

/** What the call of any agent module knows. */
export interface ModuleInput {
  flow: FlowRef;
  query: Query;
  /** Registered name of the model that the run trains: a frozen module bound to `policy` asks its base weights. */
  model: string;
  /** Of the whole run. */
  budget?: FlowConfig['budget'];
  cache: boolean;
}

export interface AnalyseQueryInput extends ModuleInput {
  tools: string[];
  module: ModuleConfig;
}

export interface PlanTurnInput extends ModuleInput {
  analysis: Analysis;
  tools: string[];
  memory: MemoryEntry[];
  turn: number;
  /** Turns left, including this one. */
  turnsLeft: number;
  planner: PlannerConfig;
  policy?: PolicyRef;
  greedy: boolean;
}

/** Why a reply ended; `refused`: the model or its provider's filter would not answer. */
export type FinishReason = 'stop' | 'length' | 'refused' | 'other';

/** A plan. `mistake`, with its kind, and `tool` exclude each other. */
export interface Plan {
  /** The planner's text, for the UI, at most 8 KB. Token ids and the whole stay in the turn's row (I1, I6). */
  text: string;
  justification?: string;
  /** Every datum that the tool needs. */
  context?: string;
  subGoal?: string;
  tool?: string;
  /** Whether the tool may ask a language model: it is called on the queue of that model's provider. */
  asksModel?: boolean;
  mistake?: string;
  mistakeKind?: PlanMistakeKind;
  finishReason: FinishReason;
  sampledTokens: number;
}

export interface ExecuteTurnInput extends ModuleInput {
  turn: number;
  tool: string;
  subGoal: string;
  context?: string;
  module: ModuleConfig;
  toolEngine: ToolEngineConfig;
}

export interface Execution {
  /** The tool's arguments as JSON, at most 8 KB. */
  command: string;
  /** At most 8 KB. */
  result: string;
  /** What went wrong with the call, in words for the planner; never an outage. */
  mistake?: string;
  mistakeKind?: CallMistakeKind;
}

export interface VerifyTurnInput extends ModuleInput {
  analysis: Analysis;
  tools: string[];
  turn: number;
  /** The last entry is the turn to judge. */
  memory: TurnRecord[];
  module: ModuleConfig;
}

export interface Verdict {
  verdict: 'STOP' | 'CONTINUE';
  /** At most 2 KB. */
  critique: string;
}

export interface GenerateAnswerInput extends ModuleInput {
  output: AnswerKind;
  analysis: Analysis;
  memory: MemoryEntry[];
  module: ModuleConfig;
  /** `base` is what the planner's model says by itself. */
  planner: PlannerConfig;
  policy?: PolicyRef;
  greedy: boolean;
}

export interface ScoreAnswerInput {
  flow: FlowRef;
  query: Query;
  answer: string;
  /** The first of them if absent. */
  rules?: RulesVersion;
  /** Who decides if the rules cannot. */
  judge?: JudgeConfig;
  /** What becomes of an answer that rules cannot decide, if the configuration says it. */
  undecided?: UndecidedChoice;
  /**
   * What a training rollout is rewarded by; `exact` if absent. Other flows are scored by the ruling, whatever it says.
   */
  reward?: RewardChoice;
  /** Of the whole run: the judge's calls count too. */
  budget?: FlowConfig['budget'];
}

export interface Score {
  /** Absent for an answer that nobody could decide and that the configuration excludes. */
  reward?: number;
  /** One line for the UI, without the ground truth of a held-out question. */
  reason: string;
  grading?: Grading;
}

/**
 * What every module call returns besides its output: the seconds that the call itself took when it succeeded. The time
 * budget of a flow is the sum of these; time lost to outages is in none of them.
 */
export type Timed<T> = T & { seconds: number };

/** The four agent modules and the scorer: one activity each. */
export interface ModuleActivities {
  analyseQuery(input: AnalyseQueryInput): Promise<Timed<{ analysis: Analysis }>>;
  planTurn(input: PlanTurnInput): Promise<Timed<Plan>>;
  executeTurn(input: ExecuteTurnInput): Promise<Timed<Execution>>;
  verifyTurn(input: VerifyTurnInput): Promise<Timed<Verdict>>;
  generateAnswer(input: GenerateAnswerInput): Promise<Timed<{ answer: string }>>;
  scoreAnswer(input: ScoreAnswerInput): Promise<Score>;
}

/** For which run a call is made, and what it must agree in. */
export interface RunAgreement {
  runId: string;
  /** Parts of the run's identity that a deployment can change (I8), by name; absent if no run is trained. */
  identity?: Record<string, string>;
}

export interface DrawQueriesInput {
  run?: RunAgreement;
  runSeed: number;
  step: number;
  /** Draw indices [first, first + count) of the step. */
  first: number;
  count: number;
  /** Most bytes of the answer: fewer questions come if all of them would take more. */
  bytes?: number;
  dataset: RunConfig['dataset'];
}

export interface EvaluationQueriesInput {
  run?: RunAgreement;
  dataset: RunConfig['dataset'];
  offset: number;
  count: number;
  /** Most bytes of the answer, as above. */
  bytes?: number;
}

export interface DatasetActivities {
  /** A pure function of (seed, step, draw index): training split. */
  drawQueries(input: DrawQueriesInput): Promise<Query[]>;
  /** The fixed held-out questions [offset, offset + count). */
  evaluationQueries(input: EvaluationQueriesInput): Promise<Query[]>;
}

export interface RecordRolloutInput {
  flow: FlowRef;
  query: Query;
  policy?: PolicyRef;
  result: AgentFlowResult;
  memory: MemoryEntry[];
}

/** What every batch holds, whatever its samples come from. */
export interface BatchHeader {
  runId: string;
  step: number;
  /** 0, and one more for each decision about the step: a batch is written once per revision. */
  revision: number;
  /** The input policy of the step. */
  policy: PolicyRef;
  /** The reference policy of the KL term; absent for the base model. */
  reference?: PolicyRef;
  model: string;
  seed: number;
  decision: StepDecision;
  identity: Record<string, string>;
  /** Parts of the identity that changed under the run and were allowed, with what they are now. */
  allowed?: Record<string, string>;
}

export interface FreezeBatchInput extends BatchHeader {
  training: RolloutTraining;
  temperature: number;
  /** Tokens that a response could have had. */
  responseLimit: number;
  /** Groups in draw order with the rollouts that were scored; excluded groups are absent. */
  groups: { group: number; rollouts: number[] }[];
  /** Queries drawn for the step: the cursor. */
  draws: number;
}

export interface FreezeRecordedBatchInput extends BatchHeader {
  training: RecordedTraining;
}

export interface FrozenBatch extends ArtifactRef {
  step: number;
  samples: number;
  bytes: number;
}

export interface TrajectoryActivities {
  recordRollout(input: RecordRolloutInput): Promise<void>;
  /** Write-once: a batch that exists for (run, step) is returned as it is (I4). */
  freezeBatch(input: FreezeBatchInput): Promise<FrozenBatch>;
  /**
   * The same for training on recorded turns: the samples are recorded turns of another run, a pure function of seed and
   * step.
   */
  freezeRecordedBatch(input: FreezeRecordedBatchInput): Promise<FrozenBatch>;
}

export interface SetRunStatusInput {
  runId: string;
  /** Supplied by the workflow, ascending: an older version never overwrites a newer one. */
  version: number;
  status: RunStatus;
  step: number;
  /** Steps asked for. */
  steps: number;
  policy?: PolicyRef;
  failure?: RunFailure;
  /** All that the run knows of itself, kept for a workflow that goes on after this one is gone. */
  state?: TrainingRunState;
  /** Absent in calls of older versions. */
  writer?: RowWriter;
}

/** From step `step` on the run goes on although parts of its identity have changed. */
export interface RecordAllowanceInput {
  runId: string;
  /** Version of the run's status: an allowance is written once under it. */
  version: number;
  step: number;
  parts: ChangeablePart[];
  /** By the identity's own names. */
  was: Record<string, string>;
  is: Record<string, string>;
}

export interface RecordStepInput {
  runId: string;
  step: number;
  policy: PolicyRef;
  metrics: Record<string, unknown>;
  /** How the trainer came to hold the state before the step. Histories of before lack it. */
  recoveredFrom?: TrainStepResult['recovered_from'];
  /** As in SetRunStatusInput, after the step. */
  state?: TrainingRunState;
}

export interface RunActivities {
  /**
   * The identity part of a configuration (I8): model, adapter shape, prompts, dataset, reward and seed, by name. Fails
   * with BadConfiguration for a run that would train on questions that it is evaluated on.
   */
  resolveIdentity(input: { config: RunConfig }): Promise<Record<string, string>>;
  /**
   * The committed policy of a name `<run>@<step>`; of this model, if one is given. Fails with NotFound or WrongIdentity
   * (I11).
   */
  resolvePolicy(input: { name: string; model?: string }): Promise<PolicyRef>;
  setRunStatus(input: SetRunStatusInput): Promise<void>;
  recordAllowance(input: RecordAllowanceInput): Promise<void>;
  recordStep(input: RecordStepInput): Promise<void>;
  recordEvaluation(input: EvaluationSummary): Promise<void>;
}

export type AgentActivities = ModuleActivities &
  DatasetActivities &
  TrajectoryActivities &
  RunActivities &
  FlowActivities &
  BenchmarkEvaluationActivities &
  QueueActivities &
  UploadActivities &
  WebhookActivities &
  ExportActivities;
