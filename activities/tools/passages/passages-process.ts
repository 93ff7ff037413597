import { spawn, type ChildProcess } from 'node:child_process';
import { PROJECT_ROOT } from '../../../infra/config/project-root.js';
import { PYTHON, PYTHON_ENVIRONMENT } from '../../../infra/local/installed.js';
import { boundToParent, stackMark } from '../../../infra/processes/bound-child.js';

/** Starts `python -m flow_grpo.passages` on a directory, its input, output and errors as pipes. */
export function startPassagesProcess(command: 'build' | 'search', directory: string): ChildProcess {
  const line = boundToParent({ command: PYTHON, args: ['-m', 'flow_grpo.passages', command, directory] });
  return spawn(line.command, line.args, {
    cwd: PROJECT_ROOT,
    // What it is sent a language model wrote: it gets none of the worker's keys.
    env: { PATH: process.env['PATH'], ...PYTHON_ENVIRONMENT, ...stackMark() },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}
