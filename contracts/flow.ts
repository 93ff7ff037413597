import type { ArtifactRef, PolicyRef } from './artifacts.js';
import type { RunSettings } from './run-settings.js';
import type { AnswerKind, FlowConfig } from './flow-config.js';
import type { MistakeKind } from './mistakes.js';
import type { Grading } from './scoring.js';

interface FlowOf<Purpose> {
  /** Its workflow id; that of a training run's or an evaluation's flow lies below theirs. */
  flowId: string;
  /**
   * The submission that it belongs to: a training run, an evaluation, or the flow itself. Histories hold it under this
   * name.
   */
  runId: string;
  runSeed: number;
  purpose: Purpose;
  /** What the calls of a training run's flow must agree in (RunAgreement). */
  identity?: Record<string, string>;
}

/** The numbers under which a flow's row is kept and its calls are seeded (I5). */
export interface FlowPlace {
  step: number;
  group: number;
  rollout: number;
}

/** `<run>/<step>/<group>/<rollout>` */
type TrainingFlow = FlowOf<'train'> & FlowPlace;
/** A held-out question after a step of a run: `<run>/eval/<step>/<planner>/<question>` */
type HeldOutFlow = FlowOf<'evaluation'> & { step: number; question: number };
/** `<evaluation>/<cell>/<question>/<trial>` */
type CellFlow = FlowOf<'evaluation'> & { cell: number; question: number; trial: number };
type SubmittedFlow = FlowOf<'ask'>;
/** The older form, in which no purpose has names of its own: open workflows and histories hold it. */
type NumberedFlow = FlowOf<'evaluation' | 'ask'> & FlowPlace;

/** Where a flow stands in the world: what its id, its seeds and its write-once row are derived from. */
export type FlowRef = TrainingFlow | HeldOutFlow | CellFlow | SubmittedFlow | NumberedFlow;

/** The place of a flow, whatever its purpose calls it. What is there never changes: rows and seeds hold it. */
export function placeOf(flow: FlowRef): FlowPlace {
  if ('group' in flow) return { step: flow.step, group: flow.group, rollout: flow.rollout };
  if ('cell' in flow) return { step: flow.cell, group: flow.question, rollout: flow.trial };
  if ('question' in flow) return { step: flow.step, group: flow.question, rollout: 0 };
  return { step: 0, group: 0, rollout: 0 };
}

/** A picture that belongs to a question, by reference. */
export interface ImageRef extends ArtifactRef {
  mediaType: 'image/png' | 'image/jpeg' | 'image/webp' | 'image/gif';
}

/** A question as the agent modules see it. It has no ground truth: only scoreAnswer looks that up, by id. */
export interface Query {
  id: string;
  dataset: { name: string; seed: number; upload?: string };
  family: string;
  question: string;
  /** What form the answer should have, in words for the module that writes it; absent if the question says it. */
  answerForm?: string;
  /** Shown to the modules whose language model takes images. */
  images?: ImageRef[];
}

/** What the question needs, before any turn: four texts of at most 2 KB each. */
export interface Analysis {
  summary: string;
  skills: string;
  tools: string;
  considerations: string;
}

/** What a flow goes on with after its earlier workflow was gone, taken from its rows. */
export interface RevivedFlow {
  /** Version of its last status. */
  version: number;
  budgets: number;
}

export interface AgentFlowInput {
  flow: FlowRef;
  query: Query;
  /** The model the run trains; its untrained base weights serve the frozen modules and tools bound to `policy`. */
  model: string;
  config: FlowConfig;
  /** Absent if the base model plans, or no policy does. */
  policy?: PolicyRef;
  /** Greedy decoding (T = 0), for evaluation. */
  greedy: boolean;
  score: boolean;
  settings: RunSettings;
  /** Present if an asked flow goes on after its workflow was gone. */
  revived?: RevivedFlow;
}

/** One entry of memory: what a turn did. Workflow state, pure data, no clock and no infrastructure error. */
export interface MemoryEntry {
  turn: number;
  /** Undefined if the plan could not be read. */
  tool?: string;
  subGoal?: string;
  command?: string;
  /** At most 8 KB (I6), less if the memory is over its budget; the full text stays in the turn's row. */
  result?: string;
  /** What went wrong, in words for the planner: an unreadable plan, an unknown tool, arguments the tool refused. */
  mistake?: string;
  /** Present with `mistake`. */
  mistakeKind?: MistakeKind;
  verdict: 'STOP' | 'CONTINUE';
  critique: string;
}

/** A turn before the verifier has seen it. */
export type TurnRecord = Omit<MemoryEntry, 'verdict' | 'critique'>;

export const SCORED_OUTCOMES = ['answered', 'budget_spent', 'unparsable_plan', 'context_filled'] as const;
export const EXCLUDED_OUTCOMES = ['infrastructure', 'group_deadline', 'prompt_too_long', 'undecided'] as const;
/** Of the excluded ones, those that say nothing about the rollout: it may be made again. */
export const OUTAGE_OUTCOMES: readonly Outcome[] = ['infrastructure', 'group_deadline'];
export type ScoredOutcome = (typeof SCORED_OUTCOMES)[number];
export type ExcludedOutcome = (typeof EXCLUDED_OUTCOMES)[number];
export type Outcome = ScoredOutcome | ExcludedOutcome;

export interface AgentFlowResult {
  flowId: string;
  outcome: Outcome;
  /** Of the first of the configuration's outputs: the one that is scored. */
  answer?: string;
  /** All of them, if there are several. */
  answers?: Partial<Record<AnswerKind, string>>;
  /**
   * Present exactly when the outcome is a scored one and the flow was asked to score (I2). `grading` is there for
   * `undecided` too.
   */
  reward?: number;
  grading?: Grading;
  turns: number;
  /** Tool name per turn; `none` for an unreadable plan. */
  tools: string[];
}
