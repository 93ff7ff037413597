import { Option, type Command } from 'commander';
import { NEXT_STATUSES, type RunStatus } from '../../../contracts/training-run.js';
import type { CliContext } from '../../context.js';
import { formatTable, shortSha256 } from '../../output/format.js';
import { printJson } from '../../output/print-run.js';
import { wholeNumber } from '../../whole-number.js';

interface ListOptions {
  limit: number;
  after?: string;
  status?: RunStatus;
  name?: string;
  model?: string;
  dataset?: string;
  createdFrom?: string;
  createdBefore?: string;
  json?: boolean;
}

export function registerList(runs: Command, context: CliContext): void {
  runs
    .command('list')
    .description('List training runs, newest first.')
    .option('--limit <n>', 'how many at most (1 to 100)', wholeNumber(1, 100), 20)
    .option('--after <run>', 'those older than this run')
    .addOption(new Option('--status <status>', 'only those').choices(Object.keys(NEXT_STATUSES)))
    .option('--name <text>', 'only those whose name contains this')
    .option('--model <name>', 'only those of this base model')
    .option('--dataset <name>', 'only those that are trained on this dataset')
    .option('--created-from <time>', 'only those created then or later, as in 2026-01-31T12:00:00Z')
    .option('--created-before <time>', 'only those created earlier')
    .option('--json', 'print JSON')
    .action(async (options: ListOptions) => list(context, options));
}

async function list(context: CliContext, { json, createdFrom, createdBefore, ...query }: ListOptions): Promise<void> {
  const times = { created_from: createdFrom, created_before: createdBefore };
  const page = await (await context.client()).listRuns({ ...query, ...times });
  if (json) return printJson(context, page);
  const rows = page.data.map((run) => [
    run.id,
    run.queue_position === null ? run.status : `${run.status} (${run.queue_position})`,
    `${run.step}/${run.steps}`,
    run.model,
    String(run.seed),
    shortSha256(run.policy_sha256),
    run.created_at.slice(0, 19),
    run.name,
  ]);
  for (const line of formatTable(['RUN', 'STATUS', 'STEP', 'MODEL', 'SEED', 'POLICY', 'CREATED', 'NAME'], rows)) {
    context.print(line);
  }
  if (page.has_more) context.note(`There are more: --after ${page.last_id}`);
}
