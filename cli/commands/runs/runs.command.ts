import type { Command } from 'commander';
import type { CliContext } from '../../context.js';
import { registerAnswers } from './answers.command.js';
import { registerFork } from './fork.command.js';
import { registerList } from './list.command.js';
import { registerShow } from './show.command.js';
import { registerVerbs } from './verbs.command.js';
import { registerWatch } from './watch.command.js';

export function registerRuns(program: Command, context: CliContext): void {
  const runs = program.command('runs').description('List, show, watch and steer training runs.');
  for (const register of [registerList, registerShow, registerAnswers, registerWatch, registerFork, registerVerbs]) {
    register(runs, context);
  }
}
