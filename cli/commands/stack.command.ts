import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Command } from 'commander';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import type { CliContext } from '../context.js';

const SET_UP = join(PROJECT_ROOT, 'infra/local/bootstrap.mjs');
const STACK = join(PROJECT_ROOT, 'dist/infra/local/main.js');

/** The local stack, as `npm run up`, `npm run down` and `npm run status` know it. */
export function registerStack(program: Command, context: CliContext): void {
  program
    .command('up')
    .description('Set up what is missing, start the local stack in the background and wait until it is healthy.')
    .action(async () => {
      // A process of its own each: set-up may build anew what this one has been loaded from.
      const code = (await run(SET_UP)) || (await run(STACK, 'up'));
      context.setExitCode(code);
    });
  program
    .command('down')
    .description('Stop the local stack.')
    .action(async () => context.setExitCode(await run(STACK, 'down')));
  program
    .command('status')
    .description(
      'Say which processes of the local stack run, and where they are reached; exit code 3 if it does not run.',
    )
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }) =>
      context.setExitCode(await run(STACK, 'status', ...(json ? ['--json'] : []))),
    );
}

/** @returns the exit code; 1 if a signal ended it */
async function run(...command: string[]): Promise<number> {
  const child = spawn(process.execPath, command, { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
