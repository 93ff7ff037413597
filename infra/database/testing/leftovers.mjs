import { execFileSync } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Data directories carry the process id of the test run that owns them. */
const PREFIX = 'agentflow-postgres-';

export function dataDirectoryPrefix() {
  return join(tmpdir(), `${PREFIX}${process.pid}-`);
}

/** Stops the servers, and removes the data, of test runs that were killed before they could. */
export async function removeLeftovers() {
  for (const name of await readdir(tmpdir())) {
    const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    const directory = join(tmpdir(), name);
    await stopServer(directory);
    await rm(directory, { recursive: true, force: true });
  }
}

async function stopServer(directory) {
  const lock = await readFile(join(directory, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number.parseInt(lock, 10);
  if (pid > 0 && isAlive(pid) && commandOf(pid).includes(directory)) process.kill(pid, 'SIGQUIT');
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Empty where the process has just ended. */
function commandOf(pid) {
  try {
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}
