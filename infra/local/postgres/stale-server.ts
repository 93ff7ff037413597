import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { waitUntil } from '../process-group.js';
import { allPids, identify, isRunning, type ProcessIdentity } from '../process-identity.js';

const KILL_PATIENCE_MS = 10_000;

/**
 * Makes a cluster startable whose server was killed. Its processes are sessions of their own, so no process group
 * reaches them: those that still run are killed, because a new server refuses to start beside them. Then the lock file
 * goes: a server would take the pid in it for a live one if another process has that pid by now. The killed server's
 * shared memory is recycled by the next start.
 */
export async function clearStaleServer(dataDirectory: string): Promise<void> {
  const left = serverProcesses(realpathSync(dataDirectory));
  for (const { pid } of left) process.kill(pid, 'SIGKILL');
  if (!(await waitUntil(() => !left.some(isRunning), KILL_PATIENCE_MS))) {
    const pids = left.filter(isRunning).map(({ pid }) => pid);
    throw new Error(`Processes ${pids.join(', ')} of a PostgreSQL server in ${dataDirectory} cannot be killed.`);
  }
  rmSync(join(dataDirectory, 'postmaster.pid'), { force: true });
}

/** Processes of the server of this cluster. Every one of them works inside the data directory. */
function serverProcesses(dataDirectory: string): ProcessIdentity[] {
  const pids = process.platform === 'linux' ? pidsByWorkingDirectory(dataDirectory) : pidOfLockFile(dataDirectory);
  return pids.flatMap((pid) => identify(pid) ?? []);
}

function pidsByWorkingDirectory(dataDirectory: string): number[] {
  return allPids().filter((pid) => {
    try {
      const program = basename(readlinkSync(`/proc/${pid}/exe`));
      return program.startsWith('postgres') && readlinkSync(`/proc/${pid}/cwd`) === dataDirectory;
    } catch {
      return false; // gone meanwhile, or another user's
    }
  });
}

/** Elsewhere: the server named in the lock file, if its command line names the data directory; the rest follow it. */
function pidOfLockFile(dataDirectory: string): number[] {
  try {
    const pid = Number(readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8').split('\n')[0]);
    const command = execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
    return command.includes(dataDirectory) ? [pid] : [];
  } catch {
    return [];
  }
}
