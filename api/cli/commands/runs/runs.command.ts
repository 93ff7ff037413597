import type { Command } from 'commander';
import type { CliContext } from '../../context.js';
import { registerCancel } from './cancel.command.js';
import { registerList } from './list.command.js';
import { registerPause } from './pause.command.js';
import { registerResume } from './resume.command.js';
import { registerShow } from './show.command.js';
import { registerWatch } from './watch.command.js';

export function registerRuns(program: Command, context: CliContext): void {
  const runs = program.command('runs').description('List, show, watch and steer training runs.');
  for (const register of [registerList, registerShow, registerWatch, registerPause, registerResume, registerCancel]) {
    register(runs, context);
  }
}
