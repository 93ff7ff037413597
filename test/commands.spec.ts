import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { PROJECT_ROOT } from '../infra/config/project-root.js';
import { createEmptyDatabase } from '../infra/database/testing/test-database.js';
import { npmRun, script, succeeded, tested, workDirectory } from './support/npm-run.js';

jest.setTimeout(600_000);

/*
 * What a user can run of package.json runs: each script in its smallest form, and its output has the form that it
 * should have. No figure is asserted.
 */

/** Scripts that `npm test` runs in another way, and the file that says so. */
const RUN_ELSEWHERE: Record<string, { file: string; as: string }> = {
  test: { file: '.ci/run', as: 'npm test' },
  'test:jest': { file: 'test/runner/jest.mjs', as: 'jest/bin/jest.js' },
  setup: { file: 'test/run.mjs', as: 'bootstrap.mjs' },
  build: { file: 'infra/local/setup/build.mjs', as: 'nest.js' },
  'build:dashboard': { file: 'infra/local/setup/build.mjs', as: 'dashboard/vite.config.ts' },
  lint: { file: 'test/runner/checks.mjs', as: 'eslint.js' },
  format: { file: 'test/runner/checks.mjs', as: 'prettier.cjs' },
  'format:check': { file: 'test/runner/checks.mjs', as: 'prettier.cjs' },
  typecheck: { file: 'test/runner/checks.mjs', as: 'tsc' },
  ...Object.fromEntries(
    ['quickstart', 'up', 'status', 'down', 'experiment:paper', 'experiment:paper-7b'].map((name) => [
      name,
      { file: 'test/stack-commands.spec.ts', as: `npmRun('${name}'` },
    ]),
  ),
};

const scripts = Object.keys(
  (JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as { scripts: object }).scripts,
);
const work = workDirectory();

describe('the commands of package.json', () => {
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

  script('bench:api', 'asks the API of a full database', async () => {
    expect(await npmRun('bench:api', ['--smoke'])).toEqual(succeeded(/p99 ms[^]*\n\d+ +\d+ [^]* 0 +0\n[^]*Goal: 500/));
  });

  script('bench:scoring', 'rules answers of every kind by every set of rules', async () => {
    expect(await npmRun('bench:scoring', ['--smoke'])).toEqual(
      succeeded(/recorded answers[^]*number +math-verify[^]*generated answers[^]*text +Search-R1/),
    );
  });

  for (const [name, files] of [
    ['openapi', ['docs/openapi.json', 'clients/python/durable_agentflow/api_types.py']],
    ['docs:configuration', ['docs/configuration.md']],
  ] as const) {
    script(name, 'writes what is committed', async () => {
      const read = () => files.map((file) => readFileSync(join(PROJECT_ROOT, file), 'utf8'));
      const committed = read();
      expect((await npmRun(name)).code).toBe(0);
      expect(read()).toEqual(committed);
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
