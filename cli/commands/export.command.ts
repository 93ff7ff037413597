import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { CliContext } from '../context.js';

export function registerExport(program: Command, context: CliContext): void {
  program
    .command('export')
    .description('Write a policy as a directory that transformers and vLLM load as it is.')
    .argument('<run@n>', 'the policy, as in run-abc@12')
    .requiredOption('--to <dir>', 'the directory to make')
    .option('--merged', 'the whole model with the adapter merged into its weights, instead of the adapter alone')
    .option('--json', 'print JSON')
    .action(async (policy: string, { to, merged, json }: { to: string; merged?: boolean; json?: boolean }) => {
      const flags = [...(merged ? ['--merged'] : []), ...(json ? ['--json'] : [])];
      const args = [policy, '--to', resolve(to), ...flags];
      context.setExitCode(await context.python({ module: 'flow_grpo.export', args, env: context.storage() }));
    });
}
