import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { PROJECT_ROOT } from '../config/project-root.js';
import { boundToParent, stackMark } from '../processes/bound-child.js';
import { PYTHON, PYTHON_ENVIRONMENT } from './installed.js';

/**
 * Starts `python -m <module> <arguments>` of worker/gpu, its input, output and errors as pipes. It ends with this
 * process.
 * @param env all that it gets of an environment, besides what Python needs
 */
export function startPython(
  module: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): ChildProcessByStdio<Writable, Readable, Readable> {
  const line = boundToParent({ command: PYTHON, args: ['-m', module, ...args] });
  return spawn(line.command, line.args, {
    cwd: PROJECT_ROOT,
    env: { ...env, ...PYTHON_ENVIRONMENT, ...stackMark() },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}
