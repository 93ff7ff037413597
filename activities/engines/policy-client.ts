import { Agent, fetch } from 'undici';
import { wellFormed } from './well-formed.js';
import type { ChatMessage } from './chat.js';
import { classifyRefusal, PolicyServerAnswerInvalid, PolicyServerUnavailable } from './policy-errors.js';
import { completionSchema, errorSchema } from './policy-response.js';

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

/** A request may wait long behind others: the activity's own timeout decides when it has waited too long. */
const WAIT_MS = 24 * 60 * 60 * 1000;

/** Client of the policy server. It never retries: Temporal does. */
export class PolicyClient {
  private readonly url: URL;
  private readonly dispatcher = new Agent({ headersTimeout: WAIT_MS, bodyTimeout: WAIT_MS });

  constructor(baseUrl: string) {
    this.url = new URL('/v1/chat/completions', baseUrl);
  }

  /**
   * @throws PolicyServerUnavailable, PolicyServerAnswerInvalid (retried); failures PromptTooLong, BadConfiguration;
   * the signal's reason where it is aborted
   */
  async complete(request: CompletionRequest, signal: AbortSignal): Promise<Completion> {
    const { status, body } = await this.post(toWire(request), signal);
    if (status !== 200) throw refusal(status, body);
    return readCompletion(body, request);
  }

  async close(): Promise<void> {
    await this.dispatcher.close();
  }

  private async post(body: unknown, signal: AbortSignal): Promise<{ status: number; body: unknown }> {
    try {
      const response = await fetch(this.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        dispatcher: this.dispatcher,
        signal,
      });
      const text = await response.text();
      return { status: response.status, body: parseJson(text) };
    } catch (error) {
      signal.throwIfAborted();
      throw new PolicyServerUnavailable(describe(error));
    }
  }
}

function toWire(request: CompletionRequest): Record<string, unknown> {
  return {
    model: request.model,
    policy_sha256: request.policySha256,
    messages: request.messages,
    max_tokens: request.maxTokens,
    temperature: request.temperature,
    seed: request.seed,
    logprobs: true,
    return_token_ids: true,
    metadata: { flow_id: request.flowId, turn: request.turn },
  };
}

function readCompletion(body: unknown, request: CompletionRequest): Completion {
  const parsed = completionSchema.safeParse(body);
  if (!parsed.success) throw new PolicyServerAnswerInvalid(parsed.error.issues.map(formatIssue).join('; '));
  const { policy_sha256: policySha256, prompt_token_ids: promptTokenIds, choices } = parsed.data;
  const { message, finish_reason: finishReason, token_ids: responseTokenIds, token_logprobs: logprobs } = choices[0];
  if (request.policySha256 !== undefined && policySha256 !== request.policySha256) {
    throw new PolicyServerAnswerInvalid(
      `it sampled from policy ${policySha256}, but ${request.model} is ${request.policySha256}`,
    );
  }
  if (logprobs.length !== responseTokenIds.length || responseTokenIds.length > request.maxTokens) {
    throw new PolicyServerAnswerInvalid(
      `${responseTokenIds.length} tokens, ${logprobs.length} log-probs, at most ${request.maxTokens} were asked for`,
    );
  }
  return { text: wellFormed(message.content), finishReason, promptTokenIds, responseTokenIds, logprobs, policySha256 };
}

function refusal(status: number, body: unknown): Error {
  const parsed = errorSchema.safeParse(body);
  if (!parsed.success) return classifyRefusal(status, undefined, 'no error object in the body');
  const { message, code } = parsed.data.error;
  return classifyRefusal(status, code ?? undefined, message);
}

/** Undefined for what is not JSON: the schemas refuse it with a message. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function formatIssue(issue: { path: PropertyKey[]; message: string }): string {
  return `${issue.path.join('.')}: ${issue.message}`;
}

/** fetch hides why a connection failed in the error's cause. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
