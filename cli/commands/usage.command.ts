import { Option, type Command } from 'commander';
import type { Usage, UsageReport } from '../client/api-types.js';
import type { CliContext } from '../context.js';
import { formatNumber, formatTable } from '../output/format.js';
import { printJson } from '../output/print-run.js';

interface Options {
  by: 'run' | 'day';
  run?: string;
  from?: string;
  to?: string;
  after?: string;
  json?: boolean;
}

type Counts = Pick<
  Usage,
  'calls' | 'prompt_tokens' | 'completion_tokens' | 'unmetered_calls' | 'cost' | 'unpriced_calls'
>;

const COUNTS = ['CALLS', 'PROMPT TOKENS', 'REPLY TOKENS', 'COST'];

export function registerUsage(program: Command, context: CliContext): void {
  program
    .command('usage')
    .description('Show what the project has used: tokens, money, tool calls, seconds of the trainer.')
    .addOption(new Option('--by <what>', 'an entry for each').choices(['run', 'day']).default('run'))
    .option('--run <id>', 'only what was used for this run, question or evaluation')
    .option('--from <day>', 'the first day, in UTC, as in 2026-01-31; without it 30 days in all')
    .option('--to <day>', 'the last day, in UTC; without it today')
    .option('--after <run>', 'with --by run: those after this one')
    .option('--json', 'print JSON')
    .action(async (options: Options) => show(context, options));
}

async function show(context: CliContext, { json, run, ...query }: Options): Promise<void> {
  const report = await (await context.client()).usage({ ...query, ...(run !== undefined && { run_id: run }) });
  if (json) return printJson(context, report);
  for (const line of describe(report)) context.print(line);
  if (report.has_more) context.note(`There are more: --after ${report.last_id}`);
  for (const note of notesOf(report.total)) context.note(note);
}

function describe({ data, total, from, to, by, time_zone }: UsageReport): string[] {
  const header = [by.toUpperCase(), ...COUNTS, 'TOOL CALLS', 'TRAINER S'];
  const row = (name: string, of: UsageReport['total']): string[] => {
    return [name, ...countsOf(of), String(of.tool_calls), formatNumber(of.trainer_seconds)];
  };
  const models = total.models.map((model) => [model.kind.replace('_', ' '), model.name ?? '?', ...countsOf(model)]);
  return [
    `${from} to ${to}, days in ${time_zone}`,
    '',
    ...formatTable(header, [...data.map((one) => row(one.run_id ?? one.day ?? '', one)), row('all', total)]),
    ...(models.length > 0 ? ['', ...formatTable(['ASKED', 'MODEL', ...COUNTS], models)] : []),
  ];
}

function countsOf({
  calls,
  prompt_tokens,
  completion_tokens,
  unmetered_calls,
  cost,
  unpriced_calls,
}: Counts): string[] {
  const atLeast = (isPart: boolean, value: string): string => (isPart ? `>= ${value}` : value);
  return [
    String(calls),
    ...[prompt_tokens, completion_tokens].map((tokens) => atLeast(unmetered_calls > 0, String(tokens))),
    // What no price is known of is not free.
    cost === null ? '-' : atLeast(unpriced_calls > 0, formatNumber(cost)),
  ];
}

function notesOf({ unpriced_calls, unmetered_calls }: Counts): string[] {
  return [
    ...(unpriced_calls > 0 ? [`${unpriced_calls} calls have no price: COST is without them.`] : []),
    ...(unmetered_calls > 0 ? [`Of ${unmetered_calls} calls the tokens are not known.`] : []),
  ];
}
