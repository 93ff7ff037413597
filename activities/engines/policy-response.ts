import { z } from 'zod';

export const tokenId = z.int().min(0).max(0x7fff_ffff);

/** The part of the policy server's answer that is used. The token lists are as sampled (I1). */
export const completionSchema = z.object({
  policy_sha256: z.string().regex(/^[0-9a-f]{64}$/),
  prompt_token_ids: z.array(tokenId).min(1),
  choices: z.tuple([
    z.object({
      message: z.object({ content: z.string() }),
      finish_reason: z.enum(['stop', 'length']),
      token_ids: z.array(tokenId).min(1),
      token_logprobs: z.array(z.number()).min(1),
    }),
  ]),
});

export const errorSchema = z.object({
  error: z.object({ message: z.string(), code: z.string().nullish() }),
});

/** What is wrong in an answer, for a message. */
export function issuesOf(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
}
