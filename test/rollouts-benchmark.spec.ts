import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PROJECT_ROOT } from '../infra/config/project-root.js';
import { waitUntil } from '../infra/local/process-group.js';
import { allPids, identify, isRunning } from '../infra/local/process-identity.js';

const MINUTE_MS = 60_000;

describe('the benchmark of rollouts', () => {
  let directory: string;
  beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'agentflow-bench-'))));
  afterEach(() => rmSync(directory, { recursive: true, force: true, maxRetries: 10 }));

  const operatorFiles = () =>
    readdirSync(directory, { recursive: true }).filter((path) => basename(String(path)) === 'operator.yaml');

  it.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('leaves no provider behind where %s ends it', async (signal) => {
    const main = join(PROJECT_ROOT, 'dist/bench/rollouts/main.js');
    const benchmark = spawn(process.execPath, [main, '--smoke'], {
      env: { ...process.env, TMPDIR: directory },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const exit = once(benchmark, 'exit');
    const providers = () => allPids().filter((pid) => isProvider(pid, benchmark.pid!));
    // The operator's file names their ports: they listen, and have nothing more to say to a parent that is gone.
    expect(await waitUntil(() => operatorFiles().length === 1, MINUTE_MS)).toBe(true);
    expect(providers()).toHaveLength(2);
    const started = providers().map((pid) => identify(pid)!);
    benchmark.kill(signal);
    await exit;
    expect(await waitUntil(() => !started.some(isRunning), MINUTE_MS)).toBe(true);
  });
});

/** One that runs already: its launcher has become it. */
function isProvider(pid: number, parent: number): boolean {
  try {
    const isChild = readFileSync(`/proc/${pid}/status`, 'utf8').includes(`\nPPid:\t${parent}\n`);
    return isChild && /^\S*node\0\S*provider\.js/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  } catch {
    return false; // it has ended
  }
}
