import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, jest } from '@jest/globals';
import { stringify } from 'yaml';
import { PROJECT_ROOT } from '../infra/config/project-root.js';
import { npmRun, script, succeeded, workDirectory } from './support/npm-run.js';
import { SupervisedStack } from './support/supervised-stack.js';

jest.setTimeout(600_000);

const work = workDirectory();

describe('the commands of package.json that bring a stack up', () => {
  const stacks: SupervisedStack[] = [];
  afterAll(() => Promise.all(stacks.map((stack) => stack.remove())));

  const ownStack = () => {
    const stack = new SupervisedStack();
    stacks.push(stack);
    return stack.environment();
  };

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
    const link = /^See it in a browser: (\S+)$/m.exec(ended.output)![1];
    const run = new URL(link).searchParams.get('to')!.replace('/runs/', '');
    const report: unknown = JSON.parse(ended.output.split('\n').findLast((line) => line.startsWith('{'))!);
    expect(report).toMatchObject({ run_id: run, steps: 1, curve: [{ step: 0 }, { step: 1 }] });
  });

  const upAndDown = ownStack();
  // Of `status` and `down` too.
  script('up', 'brings the stack up, and status and down find it', async () => {
    expect(await npmRun('up', [], upAndDown)).toEqual(succeeded(/http:\/\/127\.0\.0\.1:\d+/));
    expect(await npmRun('status', [], upAndDown)).toEqual(succeeded(/agent-worker[^]*running/));
    expect((await npmRun('down', [], upAndDown)).code).toBe(0);
    expect(await npmRun('status', [], upAndDown)).toEqual({ code: 3, output: expect.stringMatching(/not running/) });
  });
});
