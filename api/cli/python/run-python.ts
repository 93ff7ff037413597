import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { PROJECT_ROOT } from '../../../infra/config/project-root.js';
import { PYTHON, PYTHON_ENVIRONMENT } from '../../../infra/local/installed.js';
import { CliError } from '../cli-error.js';

/**
 * Runs a module of worker/gpu in the project's directory, its input and output those of this process.
 * @param env over the environment of this process
 * @returns its exit code
 * @throws CliError where set-up has not made the Python environment, or a signal ended it
 */
export async function runPython(
  module: string,
  args: readonly string[],
  env: Record<string, string>,
  python = PYTHON,
): Promise<number> {
  if (!existsSync(python))
    throw new CliError(`There is no Python environment (${python}). Make it with: npm run setup`);
  const child = spawn(python, ['-m', module, ...args], {
    cwd: PROJECT_ROOT,
    env: { ...process.env, ...env, ...PYTHON_ENVIRONMENT },
    stdio: 'inherit',
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  if (code === null) throw new CliError(`${module} was ended by ${signal}.`);
  return code;
}
