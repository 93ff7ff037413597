import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { PYTHON, PYTHON_ENVIRONMENT } from '../../infra/local/installed.js';
import { CliError } from '../cli-error.js';

/** A module of worker/gpu, and how it is called. */
export interface PythonCall {
  module: string;
  args: readonly string[];
  /** Over the environment of this process. */
  env: Record<string, string>;
}

/**
 * Runs it in the project's directory, its input and output those of this process.
 * @returns its exit code
 * @throws CliError where set-up has not made the Python environment, or a signal ended it
 */
export async function runPython(call: PythonCall, python = PYTHON): Promise<number> {
  return ended(call, start(call, 'inherit', python));
}

/**
 * The same with an input of its own. What it writes to standard error is passed through.
 * @returns its exit code, and what it wrote to standard output
 * @throws CliError as `runPython` does
 */
export async function askPython(
  call: PythonCall,
  input: string,
  python = PYTHON,
): Promise<{ code: number; output: string }> {
  const child = start(call, ['pipe', 'pipe', 'inherit'], python);
  // A module that ends before it has read its input says why by its exit code.
  child.stdin?.on('error', () => undefined).end(input);
  const [output, code] = await Promise.all([child.stdout ? text(child.stdout) : '', ended(call, child)]);
  return { code, output };
}

function start({ module, args, env }: PythonCall, stdio: StdioOptions, python: string): ChildProcess {
  if (!existsSync(python))
    throw new CliError(`There is no Python environment (${python}). Make it with: npm run setup`);
  return spawn(python, ['-m', module, ...args], {
    cwd: PROJECT_ROOT,
    env: { ...process.env, ...env, ...PYTHON_ENVIRONMENT },
    stdio,
  });
}

async function ended({ module }: PythonCall, child: ChildProcess): Promise<number> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  if (code === null) throw new CliError(`${module} was ended by ${signal}.`);
  return code;
}
