import type { Command } from 'commander';
import type { CliContext } from '../context.js';
import { wholeNumber } from '../whole-number.js';
import { quickstart, type QuickstartOptions } from './quickstart.js';

export function registerQuickstart(program: Command, context: CliContext): void {
  program
    .command('quickstart')
    .description('Start the local stack, train the quickstart model, and show how it learns.')
    .option('--config <file>', 'the run configuration', 'examples/quickstart.yaml')
    .option('--steps <n>', 'training steps, instead of the configuration’s', wholeNumber(0))
    .option('--seed <n>', 'seed of the run, instead of the configuration’s', wholeNumber(0))
    .option('--json', 'the last line of standard output is one JSON object')
    .option('--detach', 'leave the stack running in the background and come back at once')
    .action(async (options: QuickstartOptions) => quickstart(context, options));
}
