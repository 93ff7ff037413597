import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { requireUsableData } from '../data-directory.js';
import { describeUrls } from '../describe.js';
import { requireRoom } from '../disk-space.js';
import { renewLocalKey } from '../local-key.js';
import { findRunningStack } from '../running-stack.js';
import { stackOptionsFromEnvironment, stackPaths } from '../stack-options.js';

const POLL_MS = 200;

/**
 * Starts the supervisor in the background, shows its log until the stack is healthy. Of a stack that runs already, only a
 * key in api.json that is refused is replaced.
 * @returns the exit code
 */
export async function up(): Promise<number> {
  const { dataDirectory } = stackOptionsFromEnvironment();
  const running = findRunningStack(dataDirectory);
  if (running) {
    console.log(
      `The local stack runs already (supervisor: process ${running.supervisor.pid}).\n${describeUrls(running.urls)}`,
    );
    const renewed = await renewLocalKey(dataDirectory, running.urls);
    if (renewed) console.log(`The key in ${renewed} was missing or refused: another one is there now.`);
    return 0;
  }
  requireUsableData(dataDirectory); // said here: the log could not take it
  requireRoom(dataDirectory);
  const log = stackPaths(dataDirectory).log('supervisor');
  mkdirSync(dirname(log), { recursive: true, mode: 0o700 });
  const output = openSync(log, 'a', 0o600);
  const from = statSync(log).size;
  const main = process.argv[1];
  const supervisor = spawn(process.execPath, [main, 'supervise'], {
    detached: true,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  supervisor.unref();
  return follow(supervisor, dataDirectory, log, from);
}

async function follow(supervisor: ChildProcess, dataDirectory: string, log: string, from: number): Promise<number> {
  for (let shown = from; ;) {
    const ended = supervisor.exitCode !== null || supervisor.signalCode !== null;
    const ready = findRunningStack(dataDirectory)?.supervisor.pid === supervisor.pid;
    const text = readFileSync(log).subarray(shown);
    process.stdout.write(text);
    shown += text.length;
    if (ended) return 1;
    if (ready) return 0;
    await sleep(POLL_MS);
  }
}
