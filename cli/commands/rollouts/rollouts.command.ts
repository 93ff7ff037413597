import type { Command } from 'commander';
import type { CliContext } from '../../context.js';
import { registerListRollouts } from './list.command.js';
import { registerShowRollout } from './show.command.js';

export function registerRollouts(program: Command, context: CliContext): void {
  const rollouts = program.command('rollouts').description('List the rollouts of a training run, and show one.');
  for (const register of [registerListRollouts, registerShowRollout]) register(rollouts, context);
}
