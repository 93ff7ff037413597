import type { Command } from 'commander';
import type { AuditEntry, Routes } from '../client/api-types.js';
import type { CliContext } from '../context.js';
import { formatTable, oneLine } from '../output/format.js';
import { printJson } from '../output/print-run.js';
import { wholeNumber } from '../whole-number.js';

type Query = NonNullable<Routes['GET /v1/audit_log']['takes']['query']>;

const LONGEST_PATH = 80;

export function registerAudit(program: Command, context: CliContext): void {
  program
    .command('audit')
    .description('List who asked the API to change what, newest first. Needs a key with the scope admin.')
    .option('--project <project>', 'only those of this project; an admin key of the project default sees all')
    .option('--limit <n>', 'how many at most (1 to 100)', wholeNumber(1, 100), 20)
    .option('--after <entry>', 'those older than this entry')
    .option('--json', 'print JSON')
    .action(async (options: Query & { json?: boolean }) => list(context, options));
}

async function list(context: CliContext, { json, ...query }: Query & { json?: boolean }): Promise<void> {
  const page = await (await context.client()).pageOfAuditLog(query);
  if (json) return printJson(context, page);
  const header = ['TIME', 'PROJECT', 'KEY', 'NAME', 'FROM', 'STATUS', 'REQUEST'];
  for (const line of formatTable(header, page.data.map(row))) context.print(line);
  if (page.has_more) context.note(`There are more: --after ${page.last_id}`);
}

function row({ created_at, project, key, key_name, address, status, method, path }: AuditEntry): string[] {
  return [
    created_at.slice(0, 19),
    ...[project, key, key_name, address].map((value) => value ?? '-'),
    status === null ? 'none' : String(status),
    oneLine(`${method} ${path}`, LONGEST_PATH),
  ];
}
