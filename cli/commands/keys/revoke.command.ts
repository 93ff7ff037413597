import type { Command } from 'commander';
import type { CliContext } from '../../context.js';
import { printJson } from '../../output/print-run.js';

export function registerRevoke(keys: Command, context: CliContext): void {
  keys
    .command('revoke')
    .description('Revoke an API key: it is refused from then on.')
    .argument('<key>', 'its id, key-…')
    .option('--json', 'print JSON')
    .action(async (id: string, options: { json?: boolean }) => revoke(context, id, options));
}

async function revoke(context: CliContext, id: string, { json }: { json?: boolean }): Promise<void> {
  const key = await (await context.client()).revokeKey(id);
  if (json) return printJson(context, key);
  context.print(`Revoked ${key.id} (${key.name}) of the project ${key.project} at ${key.revoked_at}.`);
}
