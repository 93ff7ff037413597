import type { PolicyRef } from './artifacts.js';
import type { FlowConfig } from './run-config.js';
import type { RunSettings } from './training-run.js';

/** Where a flow stands in the world: the coordinates that its ids, seeds and write-once rows are derived from. */
export interface FlowRef {
  /** Workflow id: `<run>/<step>/<group>/<rollout>`, or `<run>/eval/<step>/<planner>/<question>`. */
  flowId: string;
  runId: string;
  runSeed: number;
  purpose: 'train' | 'evaluation';
  step: number;
  group: number;
  rollout: number;
}

/** A question as the agent modules see it. It has no ground truth: only scoreAnswer looks that up, by id. */
export interface Query {
  id: string;
  dataset: { name: string; seed: number };
  family: string;
  question: string;
  /** What form the answer should have, in words for the module that writes it; absent where the question says it. */
  answerForm?: string;
}

export interface AgentFlowInput {
  flow: FlowRef;
  query: Query;
  /** The model the run trains; its base weights also serve the generator tool. */
  model: string;
  config: FlowConfig;
  policy: PolicyRef;
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
  /** At most 8 KB (I6); the full text stays in the turn's row. */
  result?: string;
  /** What the planner did wrong: an unreadable plan, an unknown tool, arguments the tool refused. */
  mistake?: string;
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
  answer?: string;
  /** Present exactly when the outcome is a scored one and the flow was asked to score (I2). */
  reward?: number;
  turns: number;
  /** Tool name per turn; `none` for an unreadable plan. */
  tools: string[];
}
