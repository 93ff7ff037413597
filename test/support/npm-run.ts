import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';

/** What a script ended with. */
export interface Ended {
  code: number;
  /** What it printed, standard error last. */
  output: string;
}

/** Runs a script of package.json as a user does. */
export function npmRun(script: string, args: string[] = [], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      'npm',
      ['run', '--silent', script, '--', ...args],
      { cwd: PROJECT_ROOT, env: { ...process.env, ...env }, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code ?? 1) : 0, output: stdout + stderr }),
    );
  });
}

/** The scripts that the test file runs. */
export const tested = new Set<string>();

/** A test of a script. */
export function script(name: string, what: string, run: () => Promise<void>): void {
  tested.add(name);
  it(`npm run ${name}: ${what}`, run);
}

export const succeeded = (output: RegExp): Ended => ({
  code: 0,
  output: expect.stringMatching(output) as unknown as string,
});

/** A directory for what the scripts of a test file write. */
export function workDirectory(): string {
  const work = mkdtempSync(join(tmpdir(), 'agentflow-commands-'));
  afterAll(() => rmSync(work, { recursive: true, force: true }));
  return work;
}
