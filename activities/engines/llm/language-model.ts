import type { FinishReason } from '../../../contracts/agent-activities.js';
import type { ChatMessage } from '../chat.js';

/** The form of a reply that is JSON. */
export interface ReplyForm {
  name: string;
  jsonSchema: Record<string, unknown>;
  /** Whether every key is required and no other allowed, which is what providers can hold a model to. */
  strict: boolean;
}

export interface LanguageModelRequest {
  messages: ChatMessage[];
  temperature: number;
  maxTokens: number;
  timeoutMs: number;
  /** Unsigned 64-bit integer in decimal. */
  seed: string;
  /** Only where `repliesInJson`. */
  form?: ReplyForm;
}

/** What a reply cost, besides the call itself. */
export interface ReplyCost {
  inputTokens?: number;
  outputTokens?: number;
  /** By the operator's prices. */
  cost?: number;
}

export interface LanguageModelReply extends ReplyCost {
  text: string;
  finishReason: FinishReason;
  /** Of the provider's work. */
  seconds: number;
  /** Settings that the provider says it did not apply. */
  warnings: string[];
}

/** A language model that the operator registered. It never retries what failed: Temporal does. */
export interface LanguageModel {
  /** Registered name, and what identifies the model at its provider. */
  name: string;
  providerModel: string;
  /** Everything about the registration that an answer depends on. */
  identity: Record<string, unknown>;
  /** Whether it can be held to a reply in JSON. */
  repliesInJson: boolean;
  takesImages: boolean;
  /** What a reply counts in a budget: what the provider says, or an estimate of four bytes a token if it says nothing. */
  billed(messages: readonly ChatMessage[], reply: LanguageModelReply): ReplyCost;
  /**
   * @throws ProviderUnavailable, ProviderAnswerInvalid (retried); failures ProviderRefused, PromptTooLong; the signal's
   * reason where it is aborted
   */
  generate(request: LanguageModelRequest, signal: AbortSignal): Promise<LanguageModelReply>;
}
