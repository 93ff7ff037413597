import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../infra/config/project-root.js';

export const SET_UP = join(PROJECT_ROOT, 'infra/local/bootstrap.mjs');
export const STACK = join(PROJECT_ROOT, 'dist/infra/local/main.js');

/**
 * Runs a program of the local stack in a process of its own, with the input and output of this one.
 * @returns its exit code; 1 if a signal ended it
 */
export async function runStack(program: string, ...args: string[]): Promise<number> {
  const child = spawn(process.execPath, [program, ...args], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
