import type { FinishReason, PlanTurnInput } from '../../../contracts/agent-activities.js';
import type { ChatMessage } from '../../engines/chat.js';
import type { RecordedCalls } from '../../engines/model-calls.js';
import type { Tool } from '../../tools/tool.js';

/** What was sampled: kept in the turn's row, never in a history (I1, I6). */
export interface Sample {
  messages: ChatMessage[];
  promptTokenIds: number[];
  responseTokenIds: number[];
  logprobs: number[];
  /** `<run>@<step>`, or the registered name of a base model. */
  policyName: string;
  policySha256: string;
  temperature: number;
  seed: string;
  /** sha256 of the prompt's template. */
  template: string;
}

export interface PlannerText {
  text: string;
  finishReason: FinishReason;
  /** Of the policy. */
  sample?: Sample;
  /** Of another language model. */
  recorded?: RecordedCalls;
}

/** Where the planner's text comes from. The same input gives the same text on every attempt (I5). */
export type PlannerEngine = (input: PlanTurnInput, tools: readonly Tool[], signal: AbortSignal) => Promise<PlannerText>;
