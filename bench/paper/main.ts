import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { interruptSignal } from '../../cli/quickstart/interrupt.js';
import { openStack } from '../../cli/quickstart/open-stack.js';
import { openScreen } from '../../cli/quickstart/screen.js';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { ARMS } from './arms.js';
import { runArm, type ArmResult } from './run-arm.js';
import { readResults, resultsTable } from './table.js';

/** One file per seed: the table and the figure are made of all that are there. */
const RESULTS = join(PROJECT_ROOT, 'docs/experiments');

const {
  seeds,
  steps,
  smoke,
  results: directory,
} = new Command('experiment:paper')
  .description("The paper's comparison in small: untrained, Flow-GRPO, the original's pooled statistics, offline SFT.")
  .option('--seeds <list>', 'seeds of the runs, separated by commas', naturals, [0])
  .option('--steps <n>', 'training steps of each run', natural, 24)
  .option('--results <directory>', 'where the results of all seeds are kept', RESULTS)
  .option('--smoke', 'runs of a few rollouts: whether the comparison runs, not what it finds', false)
  .parse()
  .opts<{ seeds: number[]; steps: number; results: string; smoke: boolean }>();

const screen = openScreen((line) => void process.stdout.write(`${line}\n`));
const { say } = screen;
const interrupted = interruptSignal();

const stack = await openStack({ say, signal: interrupted, detach: false });
try {
  for (const seed of seeds) {
    const results: Record<string, ArmResult> = {};
    for (const arm of ARMS) {
      say(`\n${arm.name}: ${arm.description}`);
      const config = await arm.config({ seed, steps, smoke }, results[ARMS[0].name]?.runId);
      results[arm.name] = await runArm(stack.client, config, screen, interrupted);
    }
    await mkdir(directory, { recursive: true });
    await writeFile(
      join(directory, `seed-${seed}.json`),
      `${JSON.stringify({ seed, steps, arms: results }, null, 2)}\n`,
    );
  }
  say(`\n${resultsTable(await readResults(directory))}`);
} catch (error) {
  if (!interrupted.aborted) throw error;
  say('Interrupted. The same command goes on where the runs are.');
} finally {
  await stack.close();
}

function natural(value: string): number {
  const number = Number(value);
  if (!/^\d+$/.test(value)) throw new InvalidArgumentError('must be a whole number.');
  return number;
}

function naturals(value: string): number[] {
  return value.split(',').map(natural);
}
