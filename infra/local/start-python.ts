import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { PROJECT_ROOT } from '../config/project-root.js';
import { boundToParent, stackMark } from '../processes/bound-child.js';
import { PYTHON, PYTHON_ENVIRONMENT } from './installed.js';

/** A process of worker/gpu, its input, output and errors as pipes. */
export type PythonProcess = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Starts `python -m <module> <arguments>` of worker/gpu, its input, output and errors as pipes. It ends with this
 * process.
 * @param env all that it gets of an environment, besides what Python needs
 */
export function startPython(module: string, args: readonly string[], env: NodeJS.ProcessEnv): PythonProcess {
  const line = boundToParent({ command: PYTHON, args: ['-m', module, ...args] });
  return spawn(line.command, line.args, {
    cwd: PROJECT_ROOT,
    env: { ...env, ...PYTHON_ENVIRONMENT, ...stackMark() },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** What a process has written, and how it ended, once it has. */
export async function outcomeOf(child: PythonProcess) {
  const close = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const [output, errors, [code, signal]] = await Promise.all([text(child.stdout), text(child.stderr), close]);
  return { output, errors, code, signal };
}
