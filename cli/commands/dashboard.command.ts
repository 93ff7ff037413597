import type { Command } from 'commander';
import type { CliContext } from '../context.js';
import { printJson } from '../output/print-run.js';

export function registerDashboard(program: Command, context: CliContext): void {
  program
    .command('dashboard')
    .description('Print a link that signs a browser in to the dashboard, once and within ten minutes.')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const link = await (await context.client()).createSignInLink();
      if (json) printJson(context, link);
      else context.print(link.url);
    });
}
