import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { stringify } from 'yaml';
import { PROJECT_ROOT } from '../infra/config/project-root.js';
import { createEmptyDatabase } from '../infra/database/testing/test-database.js';
import { SupervisedStack } from './support/supervised-stack.js';

jest.setTimeout(600_000);

/*
 * What a user can run of package.json runs: each script in its smallest form, and its output has the form that it should
 * have. No figure is asserted.
 */

/** Scripts that `npm test` runs in another way, and the file that says so. */
const RUN_ELSEWHERE: Record<string, { file: string; as: string }> = {
  test: { file: '.ci/run', as: 'npm test' },
  'test:jest': { file: 'test/runner/jest.mjs', as: 'jest/bin/jest.js' },
  setup: { file: 'test/run.mjs', as: 'bootstrap.mjs' },
  build: { file: 'infra/local/setup/build.mjs', as: 'nest.js' },
  lint: { file: 'test/runner/checks.mjs', as: 'eslint.js' },
  format: { file: 'test/runner/checks.mjs', as: 'prettier.cjs' },
  'format:check': { file: 'test/runner/checks.mjs', as: 'prettier.cjs' },
  typecheck: { file: 'test/runner/checks.mjs', as: 'tsc' },
};

const scripts = Object.keys(
  (JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as { scripts: object }).scripts,
);
const work = mkdtempSync(join(tmpdir(), 'agentflow-commands-'));
const tested = new Set<string>();
afterAll(() => rmSync(work, { recursive: true, force: true }));

interface Ended {
  code: number;
  /** What it printed, standard error last. */
  output: string;
}

/** Runs a script as a user does. */
function npmRun(script: string, args: string[] = [], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      'npm',
      ['run', '--silent', script, '--', ...args],
      { cwd: PROJECT_ROOT, env: { ...process.env, ...env }, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code ?? 1) : 0, output: stdout + stderr }),
    );
  });
}

/** A test of a script. */
function script(name: string, what: string, run: () => Promise<void>): void {
  tested.add(name);
  it(`npm run ${name}: ${what}`, run);
}

const succeeded = (output: RegExp): Ended => ({ code: 0, output: expect.stringMatching(output) as unknown as string });

describe('the commands of package.json', () => {
  const stacks: SupervisedStack[] = [];
  afterAll(() => Promise.all(stacks.map((stack) => stack.remove())));

  const ownStack = () => {
    const stack = new SupervisedStack();
    stacks.push(stack);
    return stack.environment();
  };

  script('bench:gradient-step', 'compares gradients, then times every arm', async () => {
    expect(await npmRun('bench:gradient-step', ['--smoke'])).toEqual(
      succeeded(/parity: ours[^]*ours: median[^]*bound:/),
    );
  });

  script('bench:policy-server', 'samples by every arm', async () => {
    expect(await npmRun('bench:policy-server', ['--smoke'])).toEqual(
      succeeded(/bitwise[^]*policy server \/ generate, padded[^]*the engine's own limit/),
    );
  });

  script('bench:rollouts', 'runs flows in every arm', async () => {
    expect(await npmRun('bench:rollouts', ['--smoke'])).toEqual(succeeded(/no-latency +4 [^]*Time per flow/));
  });

  script('bench:scoring', 'rules answers of every kind by every set of rules', async () => {
    expect(await npmRun('bench:scoring', ['--smoke'])).toEqual(
      succeeded(/recorded answers[^]*number +math-verify[^]*generated answers[^]*text +Search-R1/),
    );
  });

  script('experiment:paper', 'trains every arm, and tells them apart in a table', async () => {
    const args = ['--smoke', '--steps', '1', '--results', join(work, 'paper')];
    const ended = await npmRun('experiment:paper', args, ownStack());
    expect(ended).toEqual(
      succeeded(/\| 0 \| untrained[^]*\| Flow-GRPO, pooled rows, 1 steps[^]*\| offline SFT, 1 steps/),
    );
    expect(readdirSync(join(work, 'paper'))).toEqual(['seed-0.json']);
  });

  script('experiment:paper-7b', 'plans, runs every stage in small, and runs none twice', async () => {
    expect(await npmRun('experiment:paper-7b', ['--plan'])).toEqual(
      succeeded(
        /1\. train[^]*2\. benchmarks[^]*3\. turns[^]*4\. gpt-4o-planner[^]*MISSING +model qwen2\.5-7b-instruct/,
      ),
    );
    const results = join(work, 'paper-7b');
    const args = ['--stages', 'examples/paper/small/stages.yaml', '--results', results];
    const operator = join(PROJECT_ROOT, 'examples/paper/small/operator.yaml');
    const stack = { ...ownStack(), AGENTFLOW_OPERATOR_FILE: operator };
    expect(await npmRun('up', [], stack)).toEqual(succeeded(/http:/));
    const first = await npmRun('experiment:paper-7b', args, stack);
    expect(first).toEqual(
      succeeded(/1 of 4: train[^]*2 of 4: benchmarks[^]*game24[^]*4 of 4: oracle-planner[^]*atlas/),
    );
    const tables = ['benchmarks.md', 'oracle-planner.md', 'turns.md'];
    expect(readdirSync(results).toSorted()).toEqual(tables);
    expect(readFileSync(join(results, 'benchmarks.md'), 'utf8')).toMatch(/\| game24 .*@2 /);

    const run = /run-[^:\s]+/.exec(first.output)![0];
    const again = await npmRun('experiment:paper-7b', args, stack);
    expect(again).toEqual(succeeded(new RegExp(`${run}: completed`)));
    expect((await npmRun('down', [], stack)).code).toBe(0);
  });

  script('quickstart', 'trains, evaluates and reports', async () => {
    const config = join(work, 'quickstart.yaml');
    const training = { queries_per_step: 1, group_size: 2 };
    writeFileSync(
      config,
      stringify({ name: 'small', model: 'tiny-random', steps: 1, training, evaluation: { questions: 2 } }),
    );
    const ended = await npmRun('quickstart', ['--config', config, '--json'], ownStack());
    expect(ended.code).toBe(0);
    const report: unknown = JSON.parse(ended.output.split('\n').findLast((line) => line.startsWith('{'))!);
    expect(report).toMatchObject({ steps: 1, curve: [{ step: 0 }, { step: 1 }] });
  });

  const upAndDown = ownStack();
  script('up', 'brings the stack up, and status and down find it', async () => {
    expect(await npmRun('up', [], upAndDown)).toEqual(succeeded(/http:\/\/127\.0\.0\.1:\d+/));
    expect(await npmRun('status', [], upAndDown)).toEqual(succeeded(/agent-worker[^]*running/));
    expect((await npmRun('down', [], upAndDown)).code).toBe(0);
    expect(await npmRun('status', [], upAndDown)).toEqual({ code: 3, output: expect.stringMatching(/not running/) });
  });
  tested.add('status').add('down');

  for (const [name, file] of [
    ['openapi', 'docs/openapi.json'],
    ['docs:configuration', 'docs/configuration.md'],
  ]) {
    script(name, 'writes what is committed', async () => {
      const path = join(PROJECT_ROOT, file);
      const committed = readFileSync(path, 'utf8');
      expect((await npmRun(name)).code).toBe(0);
      expect(readFileSync(path, 'utf8')).toBe(committed);
    });
  }

  script('histories:record', 'records a history of every workflow', async () => {
    const directory = join(work, 'histories');
    expect(await npmRun('histories:record', [], { HISTORIES: directory })).toEqual(succeeded(/1 passed/));
    expect(readdirSync(directory)).toEqual(readdirSync(join(PROJECT_ROOT, 'test/histories')));
  });

  script('migration:run', 'makes the schema of an empty database, and nothing is left to migrate', async () => {
    const database = await createEmptyDatabase();
    const env = { DATABASE_URL: database.url };
    expect(await npmRun('migration:run', [], env)).toEqual(succeeded(/executed successfully/));
    expect(await npmRun('migration:check', [], env)).toEqual(succeeded(/No changes in database schema were found/));
    const generated = await npmRun('migration:generate', [join(work, 'migrations/none')], env);
    expect(generated.output).toMatch(/No changes in database schema were found/);
    await database.drop();
  });
  tested.add('migration:check').add('migration:generate');

  for (const [figure, files] of [
    ['curve', ['quickstart-curve.svg']],
    ['paper', ['experiments-paper.svg', 'experiments-tools.svg']],
    ['turns', ['experiments-turns.svg']],
  ] as const) {
    script(`figure:${figure}`, 'draws what is committed', async () => {
      expect((await npmRun(`figure:${figure}`, [work])).code).toBe(0);
      for (const file of files) {
        expect(readFileSync(join(work, file), 'utf8')).toBe(readFileSync(join(PROJECT_ROOT, 'docs', file), 'utf8'));
      }
    });
  }

  it('every script is run here, or by the file that says so', () => {
    expect(scripts.filter((name) => !tested.has(name) && !(name in RUN_ELSEWHERE))).toEqual([]);
    for (const { file, as } of Object.values(RUN_ELSEWHERE)) {
      expect(readFileSync(join(PROJECT_ROOT, file), 'utf8')).toContain(as);
    }
  });
});
