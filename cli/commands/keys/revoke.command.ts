import type { Command } from 'commander';
import type { ApiClient } from '../../client/api-client.js';
import type { CliContext } from '../../context.js';
import { printJson } from '../../output/print-run.js';
import { requireConsent } from '../../require-consent.js';

interface RevokeOptions {
  yes?: boolean;
  json?: boolean;
}

export function registerRevoke(keys: Command, context: CliContext): void {
  keys
    .command('revoke')
    .description(
      'Revoke an API key: it is refused from then on. It asks before it revokes the key that it uses itself.',
    )
    .argument('<key>', 'its id, key-…')
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON')
    .action(async (id: string, options: RevokeOptions) => revoke(context, id, options));
}

/** @throws CliError without the user's consent */
async function revoke(context: CliContext, id: string, { yes, json }: RevokeOptions): Promise<void> {
  const client = await context.client();
  if (!yes) await requireConsentToOwn(context, client, id);
  const key = await client.revokeKey(id);
  if (json) return printJson(context, key);
  context.print(`Revoked ${key.id} (${key.name}) of the project ${key.project} at ${key.revoked_at}.`);
}

/** The API tells of a key how it begins. A key of an older version has no beginning, and may be any. */
async function requireConsentToOwn(context: CliContext, client: ApiClient, id: string): Promise<void> {
  const { prefix, name, project, revoked_at } = await client.getKey(id);
  if (revoked_at !== null || !client.access.key.startsWith(prefix ?? '')) return;
  const what =
    `${name}, of the project ${project}. It ${prefix === null ? 'may be' : 'is'} the key in use: then every further ` +
    'command is refused until it has another. "npm run up" makes one for a local stack.';
  await requireConsent(context, id, what, 'revoke');
}
