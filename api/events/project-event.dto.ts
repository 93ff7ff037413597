import { z } from 'zod';
import { PROJECT_EVENT_TYPES, PROJECT_EVENTS, type ProjectEventType } from '../../contracts/events.js';
import type { ProjectEvent } from '../../infra/database/entities/index.js';
import { listSchema } from '../common/list.dto.js';

const common = {
  id: z.string().describe('The sequence as text: the cursor of this list and the id of the server-sent event.'),
  object: z.literal('event'),
  sequence: z.int().describe('Ascending from 1. The events of what was deleted are missing.'),
  subject: z.string().describe('The id of the run, flow, evaluation or webhook that it tells of.'),
  created_at: z.iso.datetime(),
};

const ofType = (type: ProjectEventType) =>
  z.object({ ...common, type: z.literal(type), data: PROJECT_EVENTS[type] as z.ZodType });
const [first, ...others] = PROJECT_EVENT_TYPES;

export const projectEventSchema = z.discriminatedUnion('type', [ofType(first), ...others.map(ofType)]);

export interface ProjectEventDto {
  id: string;
  object: 'event';
  sequence: number;
  type: string;
  subject: string;
  data: Record<string, unknown>;
  created_at: string;
}

export const projectEventListSchema = listSchema('ProjectEvent', projectEventSchema);

export function toProjectEventDto({ sequence, type, subject, data, createdAt }: ProjectEvent): ProjectEventDto {
  return {
    id: String(sequence),
    object: 'event',
    sequence,
    type,
    subject,
    data,
    created_at: createdAt.toISOString(),
  };
}
