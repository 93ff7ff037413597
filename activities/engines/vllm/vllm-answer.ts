import { z } from 'zod';
import { FailureType } from '../../../contracts/failures.js';
import { nonRetryable } from '../../failures/non-retryable.js';
import type { Completion, CompletionRequest } from '../policy-client.js';
import { PolicyServerAnswerInvalid, PolicyServerMisconfigured } from '../policy-errors.js';
import { issuesOf, tokenId } from '../policy-response.js';
import { wellFormed } from '../../../infra/database/well-formed.js';
import { namedTokenId } from './sampling.js';

/** vLLM reports no less than -9999 for what cannot be sampled: such a token was not sampled by these log-probs. */
const logprob = z.number().gt(-9999).max(0.001);

const answerSchema = z.object({
  model: z.string(),
  prompt_token_ids: z.array(tokenId, 'needs vLLM >= 0.10.2, which has return_token_ids').min(1),
  choices: z.tuple([
    z.object({
      message: z.object({ content: z.string() }),
      finish_reason: z.enum(['stop', 'length']),
      token_ids: z.array(tokenId, 'needs vLLM >= 0.10.2, which has return_token_ids').min(1),
      logprobs: z.object({ content: z.array(z.object({ token: z.string(), logprob })) }),
    }),
  ]),
  usage: z.object({ completion_tokens: z.number() }),
});

type Answer = z.infer<typeof answerSchema>;

/** What was asked, of whom. */
export interface Asked {
  request: CompletionRequest;
  servedName: string;
  policySha256: string;
  /** Positions of the registered model that are used: prompt and response together. */
  context: number;
}

/** @throws PolicyServerAnswerInvalid, PolicyServerMisconfigured (retried); failure PromptTooLong */
export function readAnswer(body: unknown, asked: Asked): Completion {
  const parsed = answerSchema.safeParse(body);
  if (!parsed.success) throw new PolicyServerAnswerInvalid(issuesOf(parsed.error));
  const answer = parsed.data;
  checkTokens(answer, asked);
  checkWhole(answer, asked);
  const [{ message, finish_reason: finishReason, token_ids: responseTokenIds, logprobs }] = answer.choices;
  return {
    text: wellFormed(message.content),
    finishReason,
    promptTokenIds: answer.prompt_token_ids,
    responseTokenIds,
    logprobs: logprobs.content.map((token) => token.logprob),
    policySha256: asked.policySha256,
  };
}

/** Model, token ids, log-probs and text belong together (I1, I11). */
function checkTokens({ model, choices, usage }: Answer, { request, servedName }: Asked): void {
  const [{ message, finish_reason: finishReason, token_ids: ids, logprobs }] = choices;
  if (model !== servedName) throw new PolicyServerAnswerInvalid(`it answered as ${model}, asked was ${servedName}`);
  const counts = [ids.length, logprobs.content.length, usage.completion_tokens];
  if (new Set(counts).size > 1 || ids.length > request.maxTokens) {
    throw new PolicyServerAnswerInvalid(
      `${counts[0]} tokens, ${counts[1]} log-probs, ${counts[2]} counted, at most ${request.maxTokens} were asked for`,
    );
  }
  const odd = ids.findIndex((id, index) => namedTokenId(logprobs.content[index].token) !== id);
  if (odd >= 0) {
    const { token } = logprobs.content[odd];
    throw new PolicyServerAnswerInvalid(`token ${odd} is ${ids[odd]}, its log-prob is that of ${token}`);
  }
  if (finishReason === 'stop' && ids.length === 1 && message.content !== '') {
    throw new PolicyServerAnswerInvalid('it has a text, and no token but the end token');
  }
}

/** Nothing was cut short in silence: not the response by the context, nor by a default of the server. */
function checkWhole({ choices, prompt_token_ids: prompt }: Answer, { request, context }: Asked): void {
  if (prompt.length + request.maxTokens > context) {
    throw nonRetryable(
      FailureType.PromptTooLong,
      `the model's context is ${context} tokens; the prompt has ${prompt.length} and max_tokens is ${request.maxTokens}`,
    );
  }
  const [{ finish_reason: finishReason, token_ids: ids }] = choices;
  if (finishReason === 'length' && ids.length < request.maxTokens) {
    throw new PolicyServerMisconfigured(
      `it ended a response at ${ids.length} of ${request.maxTokens} tokens: start it with --generation-config vllm and ` +
        `--max-model-len of at least ${context}`,
    );
  }
}
