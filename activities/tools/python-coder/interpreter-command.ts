import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { PythonLimits } from '../../../infra/config/operator/python.js';
import { PROJECT_ROOT } from '../../../infra/config/project-root.js';

const PAGES_PER_MB = 16;
/** Seconds of processor for starting, and for the threads of V8 beside the program's own. */
const SPARE_CPU_S = 60;

const PYODIDE = realpathSync(dirname(createRequire(import.meta.url).resolve('pyodide/package.json')));
/** The child's own files are JavaScript as they stand: they are not compiled. */
const INTERPRETER = join(PROJECT_ROOT, 'activities/tools/python-coder/interpreter');

/** Node calls its permission model experimental before 22.13. */
export const PERMISSION = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission';

/** Limits of the kernel, whatever becomes of the agent worker: processor time, no files written, no core dumps. */
const ULIMIT = 'ulimit -t "$1" && ulimit -f 0 && ulimit -c 0 && shift && exec "$@"';

/**
 * The command line of one interpreter (design I10). Node itself may read the interpreter's files and nothing else, may
 * start no process, thread or add-on, and makes no code from strings.
 */
export function interpreterCommand(
  limits: PythonLimits,
  libraries: string,
): { command: string; args: string[]; env: NodeJS.ProcessEnv } {
  const readable = [PYODIDE, INTERPRETER, realpathSync(libraries)].map((path) => `--allow-fs-read=${path}/*`);
  const node = [
    process.execPath,
    PERMISSION,
    ...readable,
    '--disallow-code-generation-from-strings',
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    join(INTERPRETER, 'main.mjs'),
    PYODIDE,
    realpathSync(libraries),
    String(limits.memory_mb * PAGES_PER_MB),
  ];
  const cpuSeconds = String(Math.ceil(limits.time_s) * 2 + SPARE_CPU_S);
  // Nothing of the worker's environment. The time zone is said, because it would be read from the host otherwise.
  return { command: '/bin/sh', args: ['-c', ULIMIT, 'sh', cpuSeconds, ...node], env: { TZ: 'UTC' } };
}
