import type { FinishReason } from './agent-activities.js';
import type { ImageRef } from './flow.js';

/** A message of a prompt as it was sent; pictures by reference. */
export interface RecordedMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
  images?: ImageRef[];
}

/** One call of a language model, in the row of the turn that it was made for (I3): never in a history (I6). */
export interface ModelCall {
  engine: 'llm' | 'policy';
  /** Registered name, and what the provider calls the model. */
  model: string;
  providerModel?: string;
  prompt: RecordedMessage[];
  /** sha256 of the prompt's template; a tool that makes its own prompt has none. */
  template?: string;
  temperature: number;
  maxTokens: number;
  seed?: string;
  reply: string;
  finishReason: FinishReason;
  /** As the provider counts; absent if it does not say. */
  inputTokens?: number;
  outputTokens?: number;
  /** By the operator's prices; absent if the model has none. */
  cost?: number;
  /** Of the successful attempt. */
  seconds: number;
  /** Settings that the provider says it did not apply. */
  warnings?: string[];
  /** Answered with the stored reply to an equal call. */
  cached?: true;
}
