import { InvalidArgumentError, Option, type Command } from 'commander';
import { EXCLUDED_OUTCOMES, SCORED_OUTCOMES } from '../../../contracts/flow.js';
import type { Routes } from '../../client/api-types.js';
import type { CliContext } from '../../context.js';
import { formatTable, oneLine } from '../../output/format.js';
import { printJson } from '../../output/print-run.js';
import { valueOf } from '../../output/rollout-parts.js';
import { wholeNumber } from '../../whole-number.js';

type Query = NonNullable<Routes['GET /v1/rollouts']['takes']['query']>;

interface Options extends Omit<Query, 'run_id' | 'reward_min' | 'reward_max'> {
  rewardMin?: number;
  rewardMax?: number;
  json?: boolean;
}

const SORTS: NonNullable<Query['sort']>[] = ['reward', '-reward', 'advantage', '-advantage'];
const LONGEST_QUESTION = 60;

export function registerListRollouts(rollouts: Command, context: CliContext): void {
  rollouts
    .command('list')
    .description('List the finished rollouts of a training run that all filters let pass.')
    .argument('<run>')
    .addOption(new Option('--purpose <purpose>', 'only those').choices(['train', 'evaluation']))
    .option('--step <n>', 'only those of this step', wholeNumber(0))
    .option('--group <n>', 'only those of this group of each step', wholeNumber(0))
    .addOption(new Option('--outcome <outcome>', 'only those').choices([...SCORED_OUTCOMES, ...EXCLUDED_OUTCOMES]))
    .option('--reward-min <reward>', 'only those with at least this reward', parseReward)
    .option('--reward-max <reward>', 'only those with at most this reward', parseReward)
    .option('--tool <name>', 'only those that called this tool; none: an unreadable plan')
    .option('--question <text>', 'only those whose question contains this')
    .addOption(new Option('--sort <value>', 'by this value; -: from the largest down').choices(SORTS))
    .option('--limit <n>', 'how many at most (1 to 100)', wholeNumber(1, 100), 20)
    .option('--after <cursor>', 'those that follow: what the page before says at its end')
    .option('--json', 'print JSON')
    .action(async (run: string, options: Options) => list(context, run, options));
}

async function list(context: CliContext, run: string, options: Options): Promise<void> {
  const { json, rewardMin, rewardMax, ...rest } = options;
  const query = { ...rest, run_id: run, reward_min: rewardMin, reward_max: rewardMax };
  const page = await (await context.client()).pageOfRollouts(query);
  if (json) return printJson(context, page);
  if (page.data.length === 0) return context.note(`${run} has no such rollouts.`);
  const rows = page.data.map((rollout) => [
    rollout.id,
    rollout.outcome,
    valueOf(rollout.reward),
    valueOf(rollout.advantage),
    rollout.tools.join(', '),
    oneLine(rollout.question, LONGEST_QUESTION),
  ]);
  const header = ['ROLLOUT', 'OUTCOME', 'REWARD', 'ADVANTAGE', 'TOOLS', 'QUESTION'];
  for (const line of formatTable(header, rows)) context.print(line);
  if (page.has_more) context.note(`There are more: --after=${page.last_id}`);
}

function parseReward(text: string): number {
  const reward = Number(text);
  if (text.trim() !== '' && Number.isFinite(reward)) return reward;
  throw new InvalidArgumentError('It must be a number.');
}
