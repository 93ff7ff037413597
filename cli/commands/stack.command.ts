import type { Command } from 'commander';
import type { CliContext } from '../context.js';
import { runStack, SET_UP, STACK } from '../run-stack.js';

/** The local stack, as `npm run up`, `npm run down` and `npm run status` know it. */
export function registerStack(program: Command, context: CliContext): void {
  program
    .command('up')
    .description('Set up what is missing, start the local stack in the background and wait until it is healthy.')
    .action(async () => {
      // A process of its own each: set-up may build anew what this one has been loaded from.
      const code = (await runStack(SET_UP)) || (await runStack(STACK, 'up'));
      context.setExitCode(code);
    });
  program
    .command('down')
    .description('Stop the local stack.')
    .action(async () => context.setExitCode(await runStack(STACK, 'down')));
  program
    .command('status')
    .description(
      'Say which processes of the local stack run, and where they are reached; exit code 3 if it does not run.',
    )
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }) =>
      context.setExitCode(await runStack(STACK, 'status', ...(json ? ['--json'] : []))),
    );
}
