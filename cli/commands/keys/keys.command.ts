import type { Command } from 'commander';
import type { CliContext } from '../../context.js';
import { registerCreate } from './create.command.js';
import { registerList } from './list.command.js';
import { registerRevoke } from './revoke.command.js';

export function registerKeys(program: Command, context: CliContext): void {
  const keys = program
    .command('keys')
    .description('Create, list and revoke API keys. Needs a key with the scope admin.');
  for (const register of [registerCreate, registerList, registerRevoke]) register(keys, context);
}
