import type { Command } from 'commander';
import type { TrainingStep } from '../client/api-types.js';
import type { CliContext } from '../context.js';
import { CliError } from '../cli-error.js';
import { formatNumber, formatTable, shortSha256 } from '../output/format.js';
import { printJson, printList } from '../output/print-run.js';
import { wholeNumber } from '../whole-number.js';

const COLUMNS = { REWARD: 'reward_mean', LOSS: 'loss', ENTROPY: 'entropy', KL: 'kl', NORM: 'gradient_norm' };
const SECONDS = 'seconds';

export function registerSteps(program: Command, context: CliContext): void {
  program
    .command('steps')
    .description('List the finished steps of a training run, or every metric of one of them.')
    .argument('<run>')
    .option('--step <n>', 'this step alone, with all of its metrics', wholeNumber(1))
    .option('--json', 'print JSON')
    .action(async (run: string, options: { step?: number; json?: boolean }) => steps(context, run, options));
}

async function steps(context: CliContext, run: string, { step, json }: { step?: number; json?: boolean }) {
  const rows = await (await context.client()).listSteps(run, step);
  if (step !== undefined && rows.length === 0) throw new CliError(`${run} has no finished step ${step}.`);
  if (json && step !== undefined) return printJson(context, rows[0]);
  if (json) return printList(context, rows, (row) => String(row.step));
  if (rows.length === 0) return context.note(`${run} has no finished step yet.`);
  const lines = step === undefined ? tableOf(rows) : metricsOf(rows[0]);
  for (const line of lines) context.print(line);
}

function tableOf(rows: readonly TrainingStep[]): string[] {
  const cells = rows.map(({ step, metrics, policy_sha256 }) => [
    String(step),
    ...[...Object.values(COLUMNS), SECONDS].map((name) => shown(metrics[name])),
    shortSha256(policy_sha256),
  ]);
  return formatTable(['STEP', ...Object.keys(COLUMNS), 'SECONDS', 'POLICY'], cells);
}

function metricsOf({ run_id, step, policy_sha256, created_at, metrics }: TrainingStep): string[] {
  const facts = { step: `${step} of ${run_id}`, policy_sha256, created: created_at };
  const numbers = Object.entries(metrics).map(([name, value]) => [name, shown(value)] as const);
  return formatTable(['METRIC', 'VALUE'], [...Object.entries(facts), ...numbers]).slice(1);
}

function shown(value: unknown): string {
  if (typeof value === 'number') return formatNumber(value);
  return value === undefined ? '-' : JSON.stringify(value);
}
