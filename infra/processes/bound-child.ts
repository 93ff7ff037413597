import { accessSync, constants } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { delimiter, isAbsolute, join } from 'node:path';

/** Set in every process of a stack to its data directory: tells whose a process is that its parent has left behind. */
export const STACK_VARIABLE = 'AGENTFLOW_STACK';

const SYSTEM_DIRECTORIES = ['/usr/bin', '/bin', '/usr/local/bin'];

interface CommandLine {
  command: string;
  args: string[];
}

/**
 * The command line of a child that the kernel signals when this process ends, however it ends (Linux with util-linux's
 * `setpriv`; elsewhere the command line as it is). Three limits of the kernel's: the child has to be started from this
 * process's main thread, because its end is what counts; the child's own children are not bound; and a child whose
 * parent ends before it has asked for the signal lives on. So give it the stack's mark too (`stackMark`).
 * @param path where a command without a slash is looked for
 */
export function boundToParent(
  { command, args }: CommandLine,
  signal: NodeJS.Signals = 'SIGKILL',
  path = process.env['PATH'] ?? '',
): CommandLine {
  const launcher = deathSignalLauncher();
  // A command that is not there is left to spawn, which says so better than the launcher would.
  if (!launcher || !findExecutable(command, path)) return { command, args };
  return { command: launcher, args: ['--pdeathsig', signal.replace('SIG', ''), '--', command, ...args] };
}

/** The environment variable that marks a child as a process of this process's stack; none outside of a stack. */
export function stackMark(): Record<string, string> {
  const stack = process.env[STACK_VARIABLE];
  return stack === undefined ? {} : { [STACK_VARIABLE]: stack };
}

/** Whether children can be bound to their parent's life here. */
export function canBind(): boolean {
  return deathSignalLauncher() !== undefined;
}

let launcher: { path: string | undefined } | undefined;

/** Busybox has a setpriv too, which cannot do it: so it is tried. */
function deathSignalLauncher(): string | undefined {
  launcher ??= { path: process.platform === 'linux' ? findLauncher() : undefined };
  return launcher.path;
}

function findLauncher(): string | undefined {
  const path = findExecutable('setpriv', [process.env['PATH'] ?? '', ...SYSTEM_DIRECTORIES].join(delimiter));
  if (!path) return undefined;
  const tried = spawnSync(path, ['--pdeathsig', 'KILL', '--', '/bin/sh', '-c', ':'], { stdio: 'ignore' });
  return tried.status === 0 ? path : undefined;
}

function findExecutable(command: string, path: string): string | undefined {
  const candidates = command.includes('/')
    ? [command]
    : path.split(delimiter).flatMap((directory) => (isAbsolute(directory) ? [join(directory, command)] : []));
  return candidates.find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
