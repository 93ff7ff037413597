import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { askPython, runPython } from './run-python.js';

/** In the place of Python: writes what it was called with, then does what it is told. */
const INTERPRETER = `#!/bin/sh
printf '%s\\n' "$@" "$PWD" "$PYTHONPATH" "$DATABASE_URL" > "$SEEN"
eval "$THEN"
`;

describe('Python modules', () => {
  let directory: string;
  let python: string;
  let seen: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'agentflow-python-'));
    [python, seen] = [join(directory, 'python'), join(directory, 'seen')];
    await writeFile(python, INTERPRETER, { mode: 0o700 });
  });
  afterAll(async () => rm(directory, { recursive: true }));

  const call = (env: Record<string, string>) => ({
    module: 'flow_grpo.verify',
    args: ['--run', 'run-a b'],
    env: { SEEN: seen, ...env },
  });
  const run = (env: Record<string, string>) => runPython(call(env), python);

  it('give their output on an input', async () => {
    const asked = await askPython(call({ THEN: 'read line; echo "$line, answered"; exit 4' }), 'asked\n', python);
    expect(asked).toEqual({ code: 4, output: 'asked, answered\n' });
  });

  it('may end before they have read it', async () => {
    const asked = await askPython(call({ THEN: 'exit 2' }), 'x'.repeat(1_000_000), python);
    expect(asked).toEqual({ code: 2, output: '' });
  });

  it('take arguments and environment, and give the exit code back', async () => {
    expect(await run({ THEN: 'exit 3', DATABASE_URL: 'postgres://somewhere' })).toBe(3);
    const worker = join(PROJECT_ROOT, 'worker/gpu');
    const seenCall = ['-m', 'flow_grpo.verify', '--run', 'run-a b', PROJECT_ROOT, worker, 'postgres://somewhere'];
    expect((await readFile(seen, 'utf8')).trimEnd().split('\n')).toEqual(seenCall);
    expect(await run({ THEN: 'exit 0' })).toBe(0);
  });

  it('that did not end by themselves say what ended them', async () => {
    await expect(run({ THEN: 'kill -9 $$' })).rejects.toThrow('flow_grpo.verify was ended by SIGKILL.');
  });

  it('say what to do where there is no Python environment', async () => {
    await expect(runPython(call({}), join(directory, 'none'))).rejects.toThrow(/npm run setup/);
    await expect(askPython(call({}), '', join(directory, 'none'))).rejects.toThrow(/npm run setup/);
  });
});
