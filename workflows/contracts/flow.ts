import type { ArtifactRef, PolicyRef } from './artifacts.js';
import type { AnswerKind, FlowConfig } from './flow-config.js';
import type { MistakeKind } from './mistakes.js';
import type { Grading } from './scoring.js';
import type { RunSettings } from './training-run.js';

/** Where a flow stands in the world: the coordinates that its ids, seeds and write-once rows are derived from. */
export interface FlowRef {
  /** Workflow id: `<run>/<step>/<group>/<rollout>`, or `<run>/eval/<step>/<planner>/<question>`. */
  flowId: string;
  /** What its costs are counted under: a training run, an evaluation, or the flow itself where someone asked it. */
  runId: string;
  runSeed: number;
  purpose: 'train' | 'evaluation' | 'ask';
  step: number;
  group: number;
  rollout: number;
  /** What the calls of a training run's flow must agree in (RunAgreement). */
  identity?: Record<string, string>;
}

/** A picture that belongs to a question, by reference. */
export interface ImageRef extends ArtifactRef {
  mediaType: 'image/png' | 'image/jpeg' | 'image/webp' | 'image/gif';
}

/** A question as the agent modules see it. It has no ground truth: only scoreAnswer looks that up, by id. */
export interface Query {
  id: string;
  dataset: { name: string; seed: number };
  family: string;
  question: string;
  /** What form the answer should have, in words for the module that writes it; absent where the question says it. */
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

export interface AgentFlowInput {
  flow: FlowRef;
  query: Query;
  /** The model the run trains; its untrained base weights serve the frozen modules and tools bound to `policy`. */
  model: string;
  config: FlowConfig;
  /** Absent where the base model plans, or no policy does. */
  policy?: PolicyRef;
  /** Greedy decoding (T = 0), for evaluation. */
  greedy: boolean;
  score: boolean;
  settings: RunSettings;
}

/** One entry of memory: what a turn did. Workflow state, pure data, no clock and no infrastructure error (design 4). */
export interface MemoryEntry {
  turn: number;
  /** Undefined where the plan could not be read. */
  tool?: string;
  subGoal?: string;
  command?: string;
  /** At most 8 KB (I6), less where the memory is over its budget; the full text stays in the turn's row. */
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
export const EXCLUDED_OUTCOMES = ['infrastructure', 'group_deadline', 'prompt_too_long'] as const;
export type ScoredOutcome = (typeof SCORED_OUTCOMES)[number];
export type ExcludedOutcome = (typeof EXCLUDED_OUTCOMES)[number];
export type Outcome = ScoredOutcome | ExcludedOutcome;

export interface AgentFlowResult {
  flowId: string;
  outcome: Outcome;
  /** Of the first of the configuration's outputs: the one that is scored. */
  answer?: string;
  /** All of them, where there are several. */
  answers?: Partial<Record<AnswerKind, string>>;
  /** Present exactly when the outcome is a scored one and the flow was asked to score (I2). */
  reward?: number;
  grading?: Grading;
  turns: number;
  /** Tool name per turn; `none` for an unreadable plan. */
  tools: string[];
}
