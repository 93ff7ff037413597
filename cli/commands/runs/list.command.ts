import { InvalidArgumentError, type Command } from 'commander';
import type { CliContext } from '../../context.js';
import { formatTable, shortSha256 } from '../../output/format.js';
import { printJson } from '../../output/print-run.js';

interface ListOptions {
  limit: number;
  after?: string;
  json?: boolean;
}

export function registerList(runs: Command, context: CliContext): void {
  runs
    .command('list')
    .description('List training runs, newest first.')
    .option('--limit <n>', 'how many at most (1 to 100)', parseLimit, 20)
    .option('--after <run>', 'those older than this run')
    .option('--json', 'print JSON')
    .action(async (options: ListOptions) => list(context, options));
}

async function list(context: CliContext, { limit, after, json }: ListOptions): Promise<void> {
  const page = await (await context.client()).listRuns({ limit, ...(after && { after }) });
  if (json) return printJson(context, page);
  const rows = page.data.map((run) => [
    run.id,
    run.status,
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

function parseLimit(value: string): number {
  const limit = Number(value);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 100) return limit;
  throw new InvalidArgumentError('It must be a whole number from 1 to 100.');
}
