import { JsonHttp } from './json-http.js';
import type { Completion, CompletionRequest, PolicyClient } from './policy-client.js';
import { classifyRefusal, PolicyServerAnswerInvalid } from './policy-errors.js';
import { completionSchema, errorSchema, issuesOf } from './policy-response.js';
import { wellFormed } from '../../infra/database/well-formed.js';

/** Client of the policy server of worker/gpu: it takes a policy's name and sha256, and echoes the sha256. */
export class EmbeddedPolicyClient implements PolicyClient {
  private readonly http: JsonHttp;

  constructor(baseUrl: string) {
    this.http = new JsonHttp(baseUrl);
  }

  async complete(request: CompletionRequest, signal: AbortSignal): Promise<Completion> {
    const { status, body } = await this.http.post('/v1/chat/completions', toWire(request), signal);
    if (status !== 200) throw refusal(status, body);
    return readCompletion(body, request);
  }

  async close(): Promise<void> {
    await this.http.close();
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
  if (!parsed.success) throw new PolicyServerAnswerInvalid(issuesOf(parsed.error));
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
