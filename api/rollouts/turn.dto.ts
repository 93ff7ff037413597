import { z } from 'zod';
import type { Turn } from '../../infra/database/entities/index.js';
import { listSchema } from '../common/list.dto.js';
import { modelCallSchema, toModelCallDto } from './model-call.dto.js';
import { rolloutSchema } from './rollout.dto.js';

export const turnSchema = z.object({
  object: z.literal('rollout.turn'),
  turn: z.int(),
  module: z.string(),
  output: z.unknown().describe('What the agent module returned.'),
  policy: z.string().nullable(),
  policy_sha256: z.string().nullable(),
  temperature: z.number().nullable(),
  seed: z.string().nullable().describe('Unsigned 64-bit integer in decimal.'),
  prompt: z.unknown().describe('What was sent to the engine.'),
  template: z.string().nullable().describe("sha256 of the prompt's template."),
  prompt_token_ids: z.array(z.int()).nullable(),
  response_token_ids: z.array(z.int()).nullable().describe('All sampled tokens, including the end token.'),
  logprobs: z.array(z.number()).nullable().describe('One per response token, at the sampling temperature.'),
  calls: z
    .array(modelCallSchema)
    .nullable()
    .describe('Calls of language models for the output, including those of tools.'),
  created_at: z.iso.datetime(),
});
export type TurnDto = z.infer<typeof turnSchema>;

export const turnListSchema = listSchema('Turn', turnSchema);

export const rolloutWithTurnsSchema = rolloutSchema.extend({ turn_records: z.array(turnSchema) });
export type RolloutWithTurnsDto = z.infer<typeof rolloutWithTurnsSchema>;

export function toTurnDto(row: Turn): TurnDto {
  return {
    object: 'rollout.turn',
    turn: row.turn,
    module: row.module,
    output: row.output,
    policy: row.policyName,
    policy_sha256: row.policySha256,
    temperature: row.temperature,
    seed: row.seed,
    prompt: row.prompt,
    template: row.template,
    prompt_token_ids: row.promptTokenIds && decodeInt32(row.promptTokenIds),
    response_token_ids: row.responseTokenIds && decodeInt32(row.responseTokenIds),
    logprobs: row.logprobs && decodeFloat32(row.logprobs),
    calls: row.calls?.map(toModelCallDto) ?? null,
    created_at: row.createdAt.toISOString(),
  };
}

/** Little-endian, four bytes each. */
function decodeInt32(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readInt32LE(index * 4));
}

/** Little-endian, four bytes each. */
function decodeFloat32(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4));
}
