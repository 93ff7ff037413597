import { execFileSync } from 'node:child_process';
import { relative } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { PROJECT_ROOT } from '../infra/config/project-root.js';

jest.setTimeout(60_000);

describe('jest', () => {
  it('collects every spec in git, those of worker and infra included', () => {
    const inGit = lines('git', ['ls-files', '*.spec.ts']);
    const collected = lines('node', ['node_modules/jest/bin/jest.js', '--listTests']).map((path) =>
      relative(PROJECT_ROOT, path),
    );
    expect(inGit.length).toBeGreaterThan(0);
    expect(inGit.filter((path) => !collected.includes(path))).toEqual([]);
    for (const folder of ['worker/agent/', 'infra/']) expect(inGit.some((path) => path.startsWith(folder))).toBe(true);
  });
});

function lines(command: string, args: string[]): string[] {
  return execFileSync(command, args, { cwd: PROJECT_ROOT, encoding: 'utf8' }).split('\n').filter(Boolean);
}
