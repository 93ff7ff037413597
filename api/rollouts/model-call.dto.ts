import { z } from 'zod';
import type { ModelCall } from '../../contracts/model-call.js';

export const modelCallSchema = z.object({
  engine: z.enum(['llm', 'policy']),
  model: z.string().describe('Registered name.'),
  provider_model: z.string().nullable().describe('What the provider calls it.'),
  prompt: z.unknown().describe('The messages that were sent; pictures by reference.'),
  template: z.string().nullable().describe("sha256 of the prompt's template; null if a tool made its own prompt."),
  temperature: z.number(),
  max_tokens: z.int(),
  seed: z.string().nullable(),
  reply: z.string(),
  finish_reason: z.string(),
  prompt_tokens: z.int().nullable().describe('As the provider counts.'),
  completion_tokens: z.int().nullable(),
  cost: z.number().nullable().describe("By the operator's prices. Null if the model has no price."),
  seconds: z.number(),
  warnings: z.array(z.string()).describe('Settings that the provider did not apply.'),
  cached: z.boolean().describe('True if the cache answered.'),
});
export type ModelCallDto = z.infer<typeof modelCallSchema>;

export function toModelCallDto(call: ModelCall): ModelCallDto {
  return {
    engine: call.engine,
    model: call.model,
    provider_model: call.providerModel ?? null,
    prompt: call.prompt,
    template: call.template ?? null,
    temperature: call.temperature,
    max_tokens: call.maxTokens,
    seed: call.seed ?? null,
    reply: call.reply,
    finish_reason: call.finishReason,
    prompt_tokens: call.inputTokens ?? null,
    completion_tokens: call.outputTokens ?? null,
    cost: call.cost ?? null,
    seconds: call.seconds,
    warnings: call.warnings ?? [],
    cached: call.cached ?? false,
  };
}
