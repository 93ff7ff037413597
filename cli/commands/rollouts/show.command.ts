import type { Command } from 'commander';
import type { CliContext } from '../../context.js';
import { drawRollout } from '../../output/draw-rollout.js';
import { printJson } from '../../output/print-run.js';

export function registerShowRollout(rollouts: Command, context: CliContext): void {
  rollouts
    .command('show')
    .description('Show a rollout turn by turn: plan, tool call, result, verdict; then answer, reward and advantage.')
    .argument('<rollout>', 'its id, as in run-abc/3/0/1')
    .option('--json', 'print JSON: whole texts, prompts, tokens and log-probs too')
    .action(async (id: string, { json }: { json?: boolean }) => {
      const rollout = await (await context.client()).getRollout(id);
      if (json) return printJson(context, rollout);
      for (const { text, style } of drawRollout(rollout)) context.print(text, style);
    });
}
