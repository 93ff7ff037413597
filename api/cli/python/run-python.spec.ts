import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PROJECT_ROOT } from '../../../infra/config/project-root.js';
import { runPython } from './run-python.js';

/** In the place of Python: writes what it was called with, then does what it is told. */
const INTERPRETER = `#!/bin/sh
printf '%s\\n' "$@" "$PWD" "$PYTHONPATH" "$DATABASE_URL" > "$SEEN"
eval "$THEN"
`;

describe(runPython, () => {
  let directory: string;
  let python: string;
  let seen: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'agentflow-python-'));
    [python, seen] = [join(directory, 'python'), join(directory, 'seen')];
    await writeFile(python, INTERPRETER, { mode: 0o700 });
  });
  afterAll(async () => rm(directory, { recursive: true }));

  const run = (env: Record<string, string>) =>
    runPython('flow_grpo.verify', ['--run', 'run-a b'], { SEEN: seen, ...env }, python);

  it('passes arguments and environment on, and the exit code back', async () => {
    expect(await run({ THEN: 'exit 3', DATABASE_URL: 'postgres://somewhere' })).toBe(3);
    const worker = join(PROJECT_ROOT, 'worker/gpu');
    const called = ['-m', 'flow_grpo.verify', '--run', 'run-a b', PROJECT_ROOT, worker, 'postgres://somewhere'];
    expect((await readFile(seen, 'utf8')).trimEnd().split('\n')).toEqual(called);
    expect(await run({ THEN: 'exit 0' })).toBe(0);
  });

  it('says what ended it where it did not end by itself', async () => {
    await expect(run({ THEN: 'kill -9 $$' })).rejects.toThrow('flow_grpo.verify was ended by SIGKILL.');
  });

  it('says what to do where there is no Python environment', async () => {
    await expect(runPython('flow_grpo.verify', [], {}, join(directory, 'none'))).rejects.toThrow(/npm run setup/);
  });
});
