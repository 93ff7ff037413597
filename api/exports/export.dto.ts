import { z } from 'zod';
import type { PolicyExport } from '../../infra/database/entities/index.js';
import { NEXT_EXPORT_STATUSES, type ExportStatus } from '../../contracts/policy-export.js';
import { idPageQuery, listSchema } from '../common/list.dto.js';

const STATUSES = Object.keys(NEXT_EXPORT_STATUSES) as ExportStatus[];

/** The body may be absent: express leaves `undefined` then. */
export const exportBody = z
  .strictObject({
    merged: z
      .boolean()
      .default(false)
      .describe(
        'The whole model with the adapter merged in, instead of the adapter alone. A policy that trained whole is whole anyway.',
      ),
  })
  .prefault({})
  .meta({ examples: [{ merged: true }] });
export type ExportBody = z.infer<typeof exportBody>;

export const exportsQuery = idPageQuery.extend({
  status: z.enum(STATUSES).optional(),
  policy: z.string().min(1).max(512).optional().describe('`<run>@<step>`.'),
});
export type ExportsQuery = z.infer<typeof exportsQuery>;

export const exportSchema = z.object({
  id: z.string().describe('Also the id of the Temporal workflow.'),
  object: z.literal('export'),
  status: z.enum(STATUSES),
  policy: z.string().describe('`<run>@<step>`.'),
  policy_sha256: z.string().describe('Of its tensors.'),
  merged: z.boolean(),
  files: z
    .array(z.object({ name: z.string(), bytes: z.int(), sha256: z.string() }))
    .describe('What can be downloaded: none until the export is completed.'),
  failure: z.object({ type: z.string(), message: z.string() }).nullable().describe('Why it has ended without files.'),
  created_at: z.iso.datetime(),
  started_at: z.iso.datetime().nullable(),
  finished_at: z.iso.datetime().nullable(),
});
export type ExportDto = z.infer<typeof exportSchema>;

export const exportListSchema = listSchema('Export', exportSchema);

export function toExportDto(row: PolicyExport): ExportDto {
  return {
    id: row.id,
    object: 'export',
    status: row.status,
    policy: row.policyName,
    policy_sha256: row.policySha256,
    merged: row.merged,
    files: row.files ?? [],
    failure: row.failure && { type: row.failure.type, message: row.failure.message },
    created_at: row.createdAt.toISOString(),
    started_at: row.startedAt?.toISOString() ?? null,
    finished_at: row.finishedAt?.toISOString() ?? null,
  };
}
