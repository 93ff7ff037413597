import { readFile } from 'node:fs/promises';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { PolicyServerMisconfigured } from '../policy-errors.js';
import { issuesOf } from '../policy-response.js';
import { ANSWER_FORM, namedTokenId, NEUTRAL_SAMPLING } from './sampling.js';
import type { VllmApi } from './vllm-api.js';

const tokenId = z.int().min(0);
const referenceSchema = z.object({
  format: z.literal(1),
  model: z.string(),
  model_sha256: z.string().regex(/^[0-9a-f]{64}$/),
  temperature: z.number().positive(),
  prompts: z
    .array(
      z.object({
        messages: z.array(z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })),
        prompt_token_ids: z.array(tokenId),
        /** The likeliest next tokens. */
        tokens: z.array(z.object({ id: tokenId, logprob: z.number(), raw_logprob: z.number() })).min(1),
      }),
    )
    .min(1),
});

/** What `python -m flow_grpo.probe` writes: the trainer's own log-probs of the base model. */
export type ProbeReference = z.infer<typeof referenceSchema>;
type Prompt = ProbeReference['prompts'][number];
type Logprobs = ReadonlyMap<number, number>;

/**
 * Mean distance in nats to the trainer's log-probs that rounding may make: SmolLM2 in bf16 is 0.05 away from fp32, and
 * 0.8 when it ignores the temperature.
 */
const TOLERANCE = 0.15;

/** Two answers of one server to one prompt differ less. */
const REPEAT_TOLERANCE = 0.05;

const LIMIT_MS = 10 * 60 * 1000;

/** A flat distribution: what cuts off improbable tokens shows. */
const FLAT_TEMPERATURE = 2;

/** A token that cannot be sampled has -9999: one of them must not outweigh all others in a message. */
const FARTHEST = 10;

const answerSchema = z.object({
  prompt_token_ids: z.array(tokenId).nullish(),
  choices: z.tuple([
    z.object({
      token_ids: z.array(tokenId).nullish(),
      logprobs: z.object({
        content: z.tuple([z.object({ top_logprobs: z.array(z.object({ token: z.string(), logprob: z.number() })) })]),
      }),
    }),
  ]),
});

/** @throws where the file is missing or is not what the probe writes */
export async function readReference(path: string): Promise<ProbeReference> {
  return referenceSchema.parse(JSON.parse(await readFile(path, 'utf8')));
}

/**
 * Compares a server's log-probs with the trainer's (I7), before anything is sampled for a run.
 * @throws PolicyServerMisconfigured naming the likely flag; what the API throws
 */
export async function probe(api: VllmApi, reference: ProbeReference, servedName: string): Promise<void> {
  const distances: { tempered: number; raw: number }[] = [];
  for (const prompt of reference.prompts) {
    const found = await ask(api, servedName, prompt, { temperature: reference.temperature, ...NEUTRAL_SAMPLING });
    const tokens = prompt.tokens.map(({ id, logprob, raw_logprob: raw }) => ({ id, logprob, raw }));
    distances.push({
      tempered: distance(new Map(tokens.map(({ id, logprob }) => [id, logprob])), found),
      raw: distance(new Map(tokens.map(({ id, raw }) => [id, raw])), found),
    });
  }
  checkDistances(mean(distances.map((one) => one.tempered)), mean(distances.map((one) => one.raw)), reference);
  for (const prompt of reference.prompts) {
    const neutral = await ask(api, servedName, prompt, { temperature: FLAT_TEMPERATURE, ...NEUTRAL_SAMPLING });
    const defaults = await ask(api, servedName, prompt, { temperature: FLAT_TEMPERATURE });
    const away = distance(neutral, defaults);
    if (away > REPEAT_TOLERANCE) {
      throw new PolicyServerMisconfigured(
        `it fills absent sampling parameters from the model's generation_config.json (log-probs ${away.toFixed(2)} ` +
          'nats apart): start it with --generation-config vllm',
      );
    }
  }
}

function checkDistances(tempered: number, raw: number, { model, temperature }: ProbeReference): void {
  if (tempered <= TOLERANCE) return;
  const away = `its log-probs at temperature ${temperature} are ${tempered.toFixed(2)} nats from the trainer's`;
  if (raw <= TOLERANCE) {
    throw new PolicyServerMisconfigured(
      `${away}, and equal to those before the temperature: start it with --logprobs-mode processed_logprobs`,
    );
  }
  throw new PolicyServerMisconfigured(
    `${away} (at most ${TOLERANCE}): it must serve ${model}, its weights unquantised, without logits processors`,
  );
}

async function ask(api: VllmApi, model: string, prompt: Prompt, sampling: Record<string, number>): Promise<Logprobs> {
  const top = prompt.tokens.length;
  const request = { model, messages: prompt.messages, max_tokens: 1, seed: 0, ...ANSWER_FORM, ...sampling };
  const body = await api.chat({ ...request, top_logprobs: top }, AbortSignal.timeout(LIMIT_MS)).catch(explain);
  if (body === undefined) throw new PolicyServerMisconfigured(`it serves no model ${model}`);
  const parsed = answerSchema.safeParse(body);
  if (!parsed.success) {
    throw new PolicyServerMisconfigured(`its log-probs cannot be read: ${issuesOf(parsed.error)}`);
  }
  const { prompt_token_ids: ids, choices } = parsed.data;
  if (!ids || !choices[0].token_ids)
    throw new PolicyServerMisconfigured('it returns no token ids: vLLM >= 0.10.2 does');
  if (ids.join() !== prompt.prompt_token_ids.join()) {
    throw new PolicyServerMisconfigured(
      `it renders a prompt as other tokens than the trainer does: the tokenizer and --chat-template must be the model's`,
    );
  }
  const tokens = choices[0].logprobs.content[0].top_logprobs;
  return new Map(tokens.map(({ token, logprob }) => [namedTokenId(token) ?? -1, logprob]));
}

/** Nothing about the probe is a run's fault: whatever is refused waits for the operator. */
function explain(error: unknown): never {
  if (!(error instanceof ApplicationFailure)) throw error;
  throw new PolicyServerMisconfigured(`${error.message} (--max-logprobs must be at least 20, its default)`);
}

/** Mean distance in nats, weighted by the expected probabilities. What was not reported is below all that was. */
function distance(expected: Logprobs, found: Logprobs): number {
  const lowest = Math.min(...found.values());
  const parts = [...expected].map(([id, logprob]) => {
    return { weight: Math.exp(logprob), away: Math.min(FARTHEST, Math.abs((found.get(id) ?? lowest) - logprob)) };
  });
  return sum(parts.map(({ weight, away }) => weight * away)) / sum(parts.map(({ weight }) => weight));
}

function mean(values: number[]): number {
  return sum(values) / values.length;
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
