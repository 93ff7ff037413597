import { z } from 'zod';
import { RUN_EVENT_TYPES, type RunEventType } from '../../contracts/events.js';
import type { RunEvent } from '../../infra/database/entities/index.js';
import { listSchema } from '../common/list.dto.js';

export const runEventSchema = z.object({
  id: z.string().describe('The sequence as text: the cursor of this list and the id of the server-sent event.'),
  object: z.literal('training_run.event'),
  run_id: z.string(),
  sequence: z.int().describe('From 1, without gaps.'),
  type: z.enum(RUN_EVENT_TYPES).describe('`ProjectEvent` says what the data of each type is.'),
  data: z.record(z.string(), z.unknown()),
  created_at: z.iso.datetime(),
});
export type RunEventDto = z.infer<typeof runEventSchema>;

export const runEventListSchema = listSchema('RunEvent', runEventSchema);

export function toRunEventDto(row: RunEvent): RunEventDto {
  return {
    id: String(row.sequence),
    object: 'training_run.event',
    run_id: row.runId,
    sequence: row.sequence,
    type: row.type as RunEventType,
    data: row.data,
    created_at: row.createdAt.toISOString(),
  };
}
