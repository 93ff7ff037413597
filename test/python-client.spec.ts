import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { PROJECT_ROOT } from '../infra/config/project-root.js';
import { SupervisedStack } from './support/supervised-stack.js';

jest.setTimeout(600_000);

const PYTHON = join(PROJECT_ROOT, 'worker/gpu/.venv/bin/python');
const CLIENT = join(PROJECT_ROOT, 'clients/python');

describe('the client for Python against a stack', () => {
  const stack = new SupervisedStack();
  beforeAll(() => stack.start());
  afterAll(() => stack.remove());

  it.each([
    ['submits, follows over a killed API, reads, asks, evaluates and uploads', 'live/test_stack.py', '7 passed'],
    ['does what docs/python.md shows', 'live/test_document.py', '1 passed'],
  ])('%s', async (_, file, sum) => {
    expect(await pytest(file)).toContain(sum);
  });

  /** @returns what it printed, failures too */
  function pytest(file: string): Promise<string> {
    const env = { ...process.env, ...stack.environment(), API_PID: String(stack.pid('api')) };
    const args = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', file];
    return new Promise((resolve) => {
      execFile(PYTHON, args, { cwd: CLIENT, env }, (_error, stdout, stderr) => resolve(`${stdout}\n${stderr}`));
    });
  }
});
