import { z } from 'zod';
import type { AuditEntry } from '../../infra/database/entities/index.js';
import { idPageQuery, listSchema } from '../common/list.dto.js';

const auditEntrySchema = z.object({
  id: z.string(),
  object: z.literal('audit_entry'),
  project: z
    .string()
    .nullable()
    .describe('Null, like `key` and `key_name`, if the request had no key that was ever made here.'),
  key: z.string().nullable().describe('Id of the API key, also of one that was revoked or has expired.'),
  key_name: z.string().nullable().describe('What the key was called.'),
  method: z.string(),
  path: z.string(),
  route: z.string().nullable().describe('As in `/v1/keys/:id`; null if the request did not come to a route.'),
  target: z.string().nullable().describe('Id of what the request was about, or created.'),
  status: z.int().nullable().describe('Null if it was not answered: then it may have been carried out, or not.'),
  address: z.string().nullable().describe('Where the connection came from.'),
  user_agent: z.string().nullable(),
  request_id: z.string(),
  created_at: z.iso.datetime().describe('When the request came.'),
  finished_at: z.iso
    .datetime()
    .nullable()
    .describe('When it was answered or given up. Null while it is open, and for good if the API ended in the middle.'),
});
export type AuditEntryDto = z.infer<typeof auditEntrySchema>;

export const auditLogSchema = listSchema('AuditEntry', auditEntrySchema);

export const auditLogQuery = idPageQuery.extend({
  project: z
    .string()
    .max(512)
    .optional()
    .describe('For an operator, whose list is of all projects without it. Others have the list of their own.'),
});
export type AuditLogQuery = z.infer<typeof auditLogQuery>;

export function toAuditEntryDto(entry: AuditEntry): AuditEntryDto {
  return {
    id: entry.id,
    object: 'audit_entry',
    project: entry.project,
    key: entry.keyId,
    key_name: entry.keyName,
    method: entry.method,
    path: entry.path,
    route: entry.route,
    target: entry.target,
    status: entry.status,
    address: entry.address,
    user_agent: entry.userAgent,
    request_id: entry.requestId,
    created_at: entry.createdAt.toISOString(),
    finished_at: entry.finishedAt?.toISOString() ?? null,
  };
}
