import type { ChatMessage } from './chat.js';

export interface CompletionRequest {
  /** `<training run>@<step>` or the registered name of a base model. */
  model: string;
  /** Required for a policy of a training run: the server must hold these weights and no others (I11). */
  policySha256?: string;
  messages: ChatMessage[];
  maxTokens: number;
  temperature: number;
  /** Unsigned 64-bit integer in decimal. */
  seed: string;
  /** Who asks, for the server's request log. */
  flowId: string;
  turn: number;
}

export interface Completion {
  text: string;
  finishReason: 'stop' | 'length';
  promptTokenIds: number[];
  /** Every sampled token, the end token included; `logprobs` is as long. */
  responseTokenIds: number[];
  /** At the sampling temperature; of the raw logits at temperature 0. */
  logprobs: number[];
  policySha256: string;
}

/** Client of a policy server, whichever it is. It never retries what failed: Temporal does. */
export interface PolicyClient {
  /**
   * @throws PolicyServerUnavailable, PolicyServerMisconfigured, PolicyServerAnswerInvalid (retried); failures
   * PromptTooLong, BadConfiguration; the signal's reason where it is aborted
   */
  complete(request: CompletionRequest, signal: AbortSignal): Promise<Completion>;
  close(): Promise<void>;
}
