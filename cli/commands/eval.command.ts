import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { cellsOf } from '../../contracts/benchmark-evaluation.js';
import { GRADES } from '../../contracts/scoring.js';
import type { BenchmarkEvaluation, EvaluationAnswer } from '../client/api-types.js';
import { CliError } from '../cli-error.js';
import type { ApiClient } from '../client/api-client.js';
import { ApiUnreachable } from '../client/api-errors.js';
import type { CliContext } from '../context.js';
import { answersTable } from '../output/evaluation-answers.js';
import { wholeList } from '../output/print-run.js';
import { reportCsv, reportMarkdown, reportText, type Report } from '../output/evaluation-report.js';
import { deleted, requireConsent } from '../require-consent.js';
import { readConfiguration } from '../submission.js';

interface EvalOptions {
  benchmarks?: string[];
  policies?: string[];
  maxTurns?: number[];
  questions?: number;
  trials?: number;
  set: string[];
  id?: string;
  revive?: boolean;
  resume?: boolean;
  delete?: boolean;
  answers?: true | EvaluationAnswer['grade'];
  yes?: boolean;
  json?: boolean;
  csv?: string;
  markdown?: string;
}

const POLL_MS = 1_000;
/** A line of progress at most so often: the flows of a large evaluation end several a second. */
const TELL_MS = 5_000;
const EXAMPLE = join(PROJECT_ROOT, 'examples/evaluation.yaml');

export function registerEval(program: Command, context: CliContext): void {
  program
    .command('eval')
    .description('Evaluate policies on benchmarks and print the table.')
    .argument('[file]', 'the evaluation, as YAML or JSON; - reads standard input', EXAMPLE)
    .option('--benchmarks <names>', 'registered datasets, separated by commas', list)
    .option('--policies <names>', 'policies <run>@<n>, or base, separated by commas', list)
    .option('--max-turns <list>', 'turn budgets, separated by commas: a line of the table each', numbers)
    .option('--questions <n>', 'the first so many questions of each benchmark', number)
    .option('--trials <n>', 'how often each question is asked; a policy then samples', number)
    .option(
      '--set <key=value>',
      'replace the value of a key, as in flow.max_turns=3; may be repeated',
      (v, all: string[]) => [...all, v],
      [],
    )
    .option('--id <evaluation>', 'watch an evaluation that was submitted before')
    .addOption(
      new Option(
        '--answers [grade]',
        'with --id: list its answers so far and what came of each, or those of a grade',
      ).choices(GRADES),
    )
    .option('--revive', 'with --id: continue an evaluation whose workflow Temporal no longer has')
    .option('--resume', 'with --id: continue a paused evaluation; if its budget is spent, with the same budget again')
    .option('--delete', 'with --id: delete one that has ended, with its report and flows; it asks before')
    .option('--yes', 'with --delete: do not ask')
    .option('--json', 'the last line of standard output is one JSON object')
    .option('--csv <file>', 'write the cells with every figure')
    .option('--markdown <file>', 'write the tables')
    .action(async (file: string, options: EvalOptions) => evaluate(context, file, options));
}

/** Ctrl-C leaves the evaluation running: `--id` looks at it again. */
async function evaluate(context: CliContext, file: string, options: EvalOptions): Promise<void> {
  if (options.revive && options.id === undefined)
    throw new CliError('--revive needs --id, which names the evaluation to continue.');
  if (options.resume && options.id === undefined)
    throw new CliError('--resume needs --id, which names the evaluation to continue.');
  if (options.delete && options.id === undefined) throw new CliError('--delete needs --id: what is to be deleted.');
  if (options.answers && options.id === undefined)
    throw new CliError('--answers needs --id, which names the evaluation whose answers are listed.');
  const client = await context.client();
  if (options.answers) return listAnswers(context, client, options.id!, options);
  if (options.delete) return deleteEvaluation(context, client, options.id!, options.yes === true);
  if (options.revive) await client.reviveEvaluation(options.id!);
  const submitted = options.id ?? (await submit(client, file, options)).id;
  if (options.resume) await client.resumeEvaluation(submitted);
  context.note(`${submitted}: npx agentflow eval --id ${submitted} watches it again.`);
  const ended = await follow(client, submitted, context);
  if (!ended.report) {
    throw new CliError(withoutReport(ended));
  }
  await show(context, ended, ended.report, options);
}

async function listAnswers(
  context: CliContext,
  client: ApiClient,
  id: string,
  { answers, json }: EvalOptions,
): Promise<void> {
  const found = await client.listAnswers(id, answers === true ? undefined : answers);
  if (json) context.print(JSON.stringify(wholeList(found, ({ id: flow }) => flow)));
  else for (const line of answersTable(found)) context.print(line);
}

async function deleteEvaluation(context: CliContext, client: ApiClient, id: string, yes: boolean): Promise<void> {
  if (!yes) {
    const { name, status, flows } = await client.getEvaluation(id);
    await requireConsent(context, id, `${name}, ${status}, ${flows} agent flows. Its report goes too.`);
  }
  await client.deleteEvaluation(id);
  context.print(deleted(id));
}

function withoutReport({ id, status, failure }: BenchmarkEvaluation): string {
  const why = failure ? `: ${failure.message.replace(/\.$/, '')}` : '';
  const further = status === 'paused' ? ` npx agentflow eval --id ${id} --resume continues it.` : '';
  return `${id} is ${status}${why}.${further}`;
}

async function submit(client: ApiClient, file: string, options: EvalOptions): Promise<BenchmarkEvaluation> {
  const config = await readConfiguration(file, { set: options.set });
  const { benchmarks = namesOf(config), questions, policies, maxTurns, trials } = options;
  if (options.benchmarks || questions !== undefined) {
    config['benchmarks'] = benchmarks.map((name) => ({ name, ...(questions !== undefined && { questions }) }));
  }
  if (policies) config['policies'] = policies;
  if (maxTurns) config['max_turns'] = maxTurns;
  if (trials !== undefined) Object.assign(config, { trials, ...(trials > 1 && { greedy: false }) });
  return client.createEvaluation({ body: JSON.stringify(config), contentType: 'application/json' });
}

function namesOf({ benchmarks }: Record<string, unknown>): string[] {
  return Array.isArray(benchmarks) ? benchmarks.map((benchmark: { name: string }) => benchmark.name) : [];
}

/** An outage of the API is waited out: the evaluation goes on without it. */
async function follow(client: ApiClient, id: string, context: CliContext): Promise<BenchmarkEvaluation> {
  for (let told = -1, toldAt = -Infinity; ; await sleep(POLL_MS)) {
    try {
      const evaluation = await client.getEvaluation(id);
      if (!['queued', 'running'].includes(evaluation.status)) return evaluation;
      if (evaluation.flows === told || performance.now() - toldAt < TELL_MS) continue;
      context.note(progress(evaluation));
      told = evaluation.flows;
      toldAt = performance.now();
    } catch (error) {
      if (!(error instanceof ApiUnreachable)) throw error;
    }
  }
}

function progress({ status, flows, config }: BenchmarkEvaluation): string {
  const sizes = cellsOf(config).map(({ benchmark }) => benchmark.questions);
  const known = sizes.every((size) => size !== undefined);
  const all = known ? ` of at most ${sizes.reduce((sum, size) => sum + size * config.trials, 0)}` : '';
  return `${status}, ${flows}${all} agent flows have ended`;
}

async function show(
  context: CliContext,
  evaluation: BenchmarkEvaluation,
  report: Report,
  { json, csv, markdown }: EvalOptions,
): Promise<void> {
  if (csv) await writeFile(csv, reportCsv(report));
  if (markdown) await writeFile(markdown, reportMarkdown(report));
  (json ? context.note : context.print)(reportText(report));
  if (json) context.print(JSON.stringify(evaluation));
}

function list(value: string): string[] {
  return value.split(',').map((name) => name.trim());
}

function numbers(value: string): number[] {
  return value.split(',').map(number);
}

function number(value: string): number {
  if (/^[1-9]\d*$/.test(value)) return Number(value);
  throw new InvalidArgumentError('must be a whole number from 1.');
}
