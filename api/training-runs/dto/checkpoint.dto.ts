import { z } from 'zod';
import type { Checkpoint } from '../../../infra/database/entities/index.js';
import { listSchema } from '../../common/list.dto.js';

const checkpointSchema = z.object({
  object: z.literal('training_run.checkpoint'),
  run_id: z.string(),
  step: z.int(),
  policy: z.string(),
  policy_sha256: z.string(),
  uri: z.string(),
  bytes: z.int(),
  created_at: z.iso.datetime(),
  removed_at: z.iso.datetime().nullable().describe('When its files were deleted to keep within `checkpoint.keep`.'),
});
export type CheckpointDto = z.infer<typeof checkpointSchema>;

export const checkpointListSchema = listSchema('Checkpoint', checkpointSchema);

export function toCheckpointDto(row: Checkpoint): CheckpointDto {
  return {
    object: 'training_run.checkpoint',
    run_id: row.runId,
    step: row.step,
    policy: `${row.runId}@${row.step}`,
    policy_sha256: row.sha256,
    uri: row.uri,
    bytes: row.bytes,
    created_at: row.createdAt.toISOString(),
    removed_at: row.removedAt?.toISOString() ?? null,
  };
}
