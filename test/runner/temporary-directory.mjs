import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** The process id of the test run that owns a directory follows. */
const PREFIX = 'agentflow-test-';

/**
 * Gives this process and those that it starts a temporary directory of their own, which is removed when it exits.
 * A part of `npm test` stays in the one that the whole has made.
 */
export function useTemporaryDirectory() {
  if (basename(tmpdir()).startsWith(PREFIX)) return;
  removeLeftovers();
  const directory = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  chmodSync(directory, 0o711); // PostgreSQL's user passes through
  process.env.TMPDIR = directory;
  process.once('exit', () => remove(directory));
}

/** Stops the PostgreSQL servers, and removes the directories, of test runs that were killed before they could. */
function removeLeftovers() {
  for (const name of readdirSync(tmpdir())) {
    const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    const directory = join(tmpdir(), name);
    const locks = readdirSync(directory, { recursive: true }).filter((path) => basename(path) === 'postmaster.pid');
    for (const lock of locks) stopServer(join(directory, lock), directory);
    remove(directory);
  }
}

function remove(directory) {
  // A process that was ended a moment ago may still write.
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}

function stopServer(lock, directory) {
  const pid = Number.parseInt(readFileSync(lock, 'utf8'), 10);
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
