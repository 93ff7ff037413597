import type { Command } from 'commander';
import type { CliContext } from '../../context.js';
import { formatTable } from '../../output/format.js';
import { printList } from '../../output/print-run.js';

interface ListOptions {
  project?: string;
  json?: boolean;
}

export function registerList(keys: Command, context: CliContext): void {
  keys
    .command('list')
    .description('List the API keys of a project that were not revoked, newest first.')
    .option('--project <project>', 'another project than the own one; needs an admin key of the project default')
    .option('--json', 'print JSON')
    .action(async (options: ListOptions) => list(context, options));
}

async function list(context: CliContext, { project, json }: ListOptions): Promise<void> {
  const keys = await (await context.client()).listKeys(project);
  if (json) return printList(context, keys, ({ id }) => id);
  const rows = keys.map((key) => [
    key.id,
    key.prefix === null ? '-' : `${key.prefix}…`,
    key.scopes.join(','),
    key.created_at.slice(0, 10),
    key.last_used_at?.slice(0, 16) ?? 'never',
    key.expires_at?.slice(0, 16) ?? 'never',
    key.name,
  ]);
  const header = ['KEY', 'BEGINS', 'SCOPES', 'CREATED', 'LAST USED', 'EXPIRES', 'NAME'];
  for (const line of formatTable(header, rows)) context.print(line);
}
