import { z } from 'zod';
import { named } from '../../common/json-schema.js';

export const modelSchema = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: z.int().describe('Seconds since 1970; 0 of what the operator registered.'),
  owned_by: z.string().describe('The project, or `operator`.'),
});
export type ModelDto = z.infer<typeof modelSchema>;
named('OpenAiModel', modelSchema);

export const modelListSchema = z.object({ object: z.literal('list'), data: z.array(modelSchema) });

export function toModelDto(id: string, ownedBy: string, createdAt?: Date): ModelDto {
  return { id, object: 'model', created: createdAt ? toSeconds(createdAt) : 0, owned_by: ownedBy };
}

export function toSeconds(time: Date | string): number {
  return Math.floor(new Date(time).getTime() / 1000);
}
