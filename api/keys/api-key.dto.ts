import { z } from 'zod';
import { KEY_SCOPES } from '../../contracts/key-scopes.js';
import type { ApiKey } from '../../infra/database/entities/index.js';
import { idPageQuery, listSchema } from '../common/list.dto.js';

const LONGEST_NAME = 100;

/** What keeps a text from being a name. */
function faultOf(text: string): string {
  if (text === '') return 'is empty';
  const hidden = /\p{C}/u.exec(text)?.[0].codePointAt(0);
  if (hidden === undefined) return 'has a blank at its beginning or end';
  return `has the character U+${hidden.toString(16).toUpperCase().padStart(4, '0')}, which cannot be seen`;
}

const scopes = z.array(z.enum(KEY_SCOPES));

export const newApiKeySchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[^\p{C}\p{Z}]([^\p{C}]*[^\p{C}\p{Z}])?$/u, {
        error: ({ input }) => faultOf(String(input)),
      })
      .max(LONGEST_NAME)
      .describe('For people: who uses it, or what for.'),
    scopes: scopes
      .min(1)
      .refine((listed) => new Set(listed).size === listed.length, 'lists a scope twice')
      .describe(
        'What it may do: `read` all GET routes, `submit` all others, `admin` keys, projects, the audit log and changes of webhooks.',
      ),
    project: z
      .string()
      .max(512)
      .optional()
      .describe('Whose key it is: the own project, unless an operator says another.'),
    expires_at: z.iso
      .datetime({ offset: true })
      .nullish()
      .describe(
        'From then on the key is refused. Without it, the key does not expire. Not later than the key that makes it expires.',
      ),
  })
  .meta({ examples: [{ name: 'notebook of the vision team', scopes: ['read', 'submit'] }] });
export type NewApiKeyBody = z.infer<typeof newApiKeySchema>;

export const apiKeySchema = z.object({
  id: z.string(),
  object: z.literal('api_key'),
  project: z.string(),
  name: z.string(),
  scopes,
  prefix: z.string().nullable().describe('How the key begins. Null for a key of an older version.'),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
  last_used_at: z.iso.datetime().nullable().describe('To the minute.'),
  revoked_at: z.iso.datetime().nullable(),
});
export type ApiKeyDto = z.infer<typeof apiKeySchema>;

export const createdApiKeySchema = apiKeySchema.extend({
  key: z
    .string()
    .nullable()
    .describe('The key, in this answer alone. Null if an earlier request with the same Idempotency-Key was told it.'),
});
export type CreatedApiKeyDto = z.infer<typeof createdApiKeySchema>;

export const apiKeyListSchema = listSchema('ApiKey', apiKeySchema);

export const apiKeysQuery = idPageQuery.extend({
  project: z.string().max(512).optional().describe('Another project than the own one, for an operator.'),
});
export type ApiKeysQuery = z.infer<typeof apiKeysQuery>;

export function toApiKeyDto(key: ApiKey): ApiKeyDto {
  return {
    id: key.id,
    object: 'api_key',
    project: key.project,
    name: key.name,
    scopes: key.scopes,
    prefix: key.prefix,
    created_at: key.createdAt.toISOString(),
    expires_at: key.expiresAt?.toISOString() ?? null,
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
    revoked_at: key.revokedAt?.toISOString() ?? null,
  };
}
