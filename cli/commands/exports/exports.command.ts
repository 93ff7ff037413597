import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Option, type Command } from 'commander';
import { NEXT_EXPORT_STATUSES, type ExportStatus } from '../../../contracts/policy-export.js';
import { CliError } from '../../cli-error.js';
import type { ApiClient } from '../../client/api-client.js';
import { ApiUnreachable } from '../../client/api-errors.js';
import type { Export } from '../../client/api-types.js';
import type { CliContext } from '../../context.js';
import { formatTable } from '../../output/format.js';
import { printJson, printList } from '../../output/print-run.js';
import { deleted, requireConsent } from '../../require-consent.js';
import { download } from './download.js';

const POLL_MS = 1_000;
const STATUSES = Object.keys(NEXT_EXPORT_STATUSES) as ExportStatus[];

interface Options {
  json?: boolean;
}
interface CreateOptions extends Options {
  merged?: boolean;
  wait?: boolean;
}
interface ListOptions extends Options {
  status?: ExportStatus;
  policy?: string;
}

export function registerExports(program: Command, context: CliContext): void {
  const exports = program
    .command('exports')
    .description(
      'Have the API export a policy, and download it: for whoever has a key and not the machine of the stack.',
    );
  exports
    .command('create')
    .description('Export a policy: into files that transformers, PEFT and vLLM load.')
    .argument('<run@n>', 'the policy, as in run-abc@12')
    .option('--merged', 'the whole model instead of the adapter alone')
    .option('--wait', 'until it has ended')
    .option('--json', 'print JSON')
    .action(async (policy: string, options: CreateOptions) => create(context, policy, options));
  exports
    .command('list')
    .description('List the exports of the project, newest first.')
    .addOption(new Option('--status <status>', 'only those that are so').choices(STATUSES))
    .option('--policy <run@n>', 'only those of a policy')
    .option('--json', 'print JSON')
    .action(async (options: ListOptions) => list(context, options));
  const ofExport = (name: string, description: string) =>
    exports.command(name).description(description).argument('<export>', 'its id, export-…');
  ofExport('show', 'Show an export and its files.')
    .option('--json', 'print JSON')
    .action(async (id: string, options: Options) =>
      show(context, await (await context.client()).getExport(id), options),
    );
  ofExport(
    'download',
    'Download the files of an export. A download that broke goes on if you repeat the command: what has arrived is kept in ' +
      '.<directory>.<export> beside the directory until all of it has.',
  )
    .requiredOption(
      '--to <directory>',
      'the directory to make in one that is there; one that holds anything is refused',
    )
    .option('--json', 'print JSON')
    .action(async (id: string, options: Options & { to: string }) => fetchAll(context, id, options));
  for (const [verb, description] of [
    ['cancel', 'Cancel an export.'],
    ['revive', 'Try an export again that has failed, was cancelled, or whose workflow Temporal no longer has.'],
  ] as const) {
    ofExport(verb, description)
      .option('--json', 'print JSON')
      .action(async (id: string, options: Options) =>
        show(context, await (await context.client()).changeExport(id, verb), options),
      );
  }
  ofExport('delete', 'Delete an export that has ended, with its files. It asks before.')
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON')
    .action(async (id: string, options: Options & { yes?: boolean }) => remove(context, id, options));
}

/** Ctrl-C leaves it running. */
async function create(context: CliContext, policy: string, { merged, wait, json }: CreateOptions): Promise<void> {
  const client = await context.client();
  const created = await client.exportPolicy(policy, merged === true, randomUUID());
  context.note(`${created.id}: npx agentflow exports show ${created.id} says how it stands.`);
  const ended = wait ? await untilEnded(client, created.id) : created;
  show(context, ended, { json });
  if (wait && ended.status !== 'completed') throw new CliError(notCompleted(ended));
}

/** An outage of the API is waited out: the export goes on without it. */
async function untilEnded(client: ApiClient, id: string): Promise<Export> {
  for (; ; await sleep(POLL_MS)) {
    try {
      const found = await client.getExport(id);
      if (!['queued', 'running'].includes(found.status)) return found;
    } catch (error) {
      if (!(error instanceof ApiUnreachable)) throw error;
    }
  }
}

async function list(context: CliContext, { json, ...filter }: ListOptions): Promise<void> {
  const exports = await (await context.client()).listExports(filter);
  if (json) return printList(context, exports, ({ id }) => id);
  const rows = exports.map((row) => [
    row.id,
    row.policy,
    row.merged ? 'yes' : '-',
    row.status,
    String(bytesOf(row)),
    row.created_at.slice(0, 19),
  ]);
  for (const line of formatTable(['EXPORT', 'POLICY', 'MERGED', 'STATUS', 'BYTES', 'CREATED'], rows)) {
    context.print(line);
  }
}

function show(context: CliContext, found: Export, { json }: Options): void {
  if (json) return printJson(context, found);
  const facts: [string, string | null][] = [
    ['export', found.id],
    ['policy', found.policy],
    ['sha256', found.policy_sha256],
    ['merged', found.merged ? 'yes' : 'no'],
    ['status', found.status],
    ['failure', found.failure && `${found.failure.type}: ${found.failure.message}`],
    ['created', found.created_at],
    ['finished', found.finished_at],
  ];
  for (const [name, value] of facts) if (value !== null) context.print(`${name.padEnd(10)}${value}`);
  const rows = found.files.map(({ name, bytes, sha256 }) => [name, String(bytes), sha256]);
  if (rows.length > 0) for (const line of formatTable(['FILE', 'BYTES', 'SHA256'], rows)) context.print(line);
}

async function fetchAll(context: CliContext, id: string, { to, json }: Options & { to: string }): Promise<void> {
  const client = await context.client();
  const found = await client.getExport(id);
  if (found.status !== 'completed') throw new CliError(notCompleted(found));
  await download(client, found, to, context.note);
  if (json) printJson(context, { id, policy: found.policy, directory: to, bytes: bytesOf(found) });
  else context.print(`${found.policy} is in ${to}`);
}

/** @throws CliError without the user's consent */
async function remove(context: CliContext, id: string, { yes, json }: Options & { yes?: boolean }): Promise<void> {
  const client = await context.client();
  if (!yes) {
    const found = await client.getExport(id);
    await requireConsent(context, id, `${found.policy}, ${found.status}, ${bytesOf(found)} bytes.`);
  }
  await client.deleteExport(id);
  if (json) printJson(context, { id, deleted: true });
  else context.print(deleted(id));
}

function notCompleted({ id, status, failure }: Export): string {
  return `${id} is ${status}${failure ? `: ${failure.message.replace(/\.$/, '')}` : ''}.`;
}

function bytesOf({ files }: Export): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
