import { z } from 'zod';
import type { Project } from '../../infra/database/entities/index.js';
import { listSchema } from '../common/list.dto.js';

export const newProjectSchema = z
  .strictObject({
    id: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be 1 to 63 of a-z, 0-9 and -, without - at an end')
      .describe('What it is called from then on.'),
  })
  .meta({ examples: [{ id: 'vision-team' }] });
export type NewProject = z.infer<typeof newProjectSchema>;

export const projectSchema = z.object({
  id: z.string(),
  object: z.literal('project'),
  created_at: z.iso.datetime(),
});
export type ProjectDto = z.infer<typeof projectSchema>;

export const projectListSchema = listSchema('Project', projectSchema);

export function toProjectDto({ id, createdAt }: Project): ProjectDto {
  return { id, object: 'project', created_at: createdAt.toISOString() };
}
