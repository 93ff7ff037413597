import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApi } from '../../api/testing/test-api.js';
import { TrainingRun, TrainingStep } from '../../infra/database/entities/index.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import { runCli } from '../testing/test-cli.js';

describe('what a run has made', () => {
  let api: TestApi;
  let runId: string;

  beforeAll(async () => {
    api = await TestApi.start();
    const run = trainingRunRow();
    runId = run.id;
    const { dataSource } = api.database;
    await dataSource.getRepository(TrainingRun).insert(run);
    for (const step of [0, 1, 2]) await api.commitPolicy(runId, step, String(step).repeat(64));
    await rm(join(api.artifacts, 'runs', runId, 'policies', '000001'), { recursive: true });
    const metrics = { reward_mean: 0.5, loss: -0.012345, seconds: 61.25, ranks: 1, note: ['x'] };
    await dataSource
      .getRepository(TrainingStep)
      .insert([1, 2].map((step) => ({ runId, step, policySha256: String(step).repeat(64), metrics })));
  });
  afterAll(async () => api.stop());

  const cli = (...args: string[]) => runCli({ url: api.url, key: api.key }, ...args);
  const json = async (...args: string[]): Promise<unknown> =>
    JSON.parse((await cli(...args, '--json')).lines.join('\n'));
  const policies = async (...args: string[]) =>
    (await cli('policies', 'list', runId, ...args)).lines.slice(1).map((line) => line.split(/ +/));

  it('policies list shows those whose files are there, or all', async () => {
    expect(await policies()).toEqual([
      [`${runId}@0`, '000000000000', '-', 'yes', '-', '-'],
      [`${runId}@2`, '222222222222', '-', 'yes', '-', '-'],
    ]);
    expect(await policies('--all')).toContainEqual([`${runId}@1`, '111111111111', '-', 'collected', '-', '-']);
    expect(await json('policies', 'list', runId)).toMatchObject({ data: [{ step: 0 }, { step: 2 }] });
  });

  it('policies pin and unpin change one, and show it as show does', async () => {
    const id = `${runId}@2`;
    const { lines } = await cli('policies', 'pin', id);
    expect(lines).toEqual((await cli('policies', 'show', id)).lines);
    expect(lines).toContainEqual(expect.stringMatching(/^pinned +since 20/));
    expect((await policies())[1].at(-1)).toMatch(/^20\d\d-/);
    expect(await json('policies', 'unpin', id)).toMatchObject({ id, pinned_at: null });
    expect((await cli('policies', 'show', id)).lines).toContain('pinned      no');
    await expect(cli('policies', 'pin', `${runId}@1`)).rejects.toThrow(/files were collected/);
    await expect(cli('policies', 'show', `${runId}@9`)).rejects.toThrow(/no policy/);
  });

  it('steps lists them, and shows every metric of one', async () => {
    const { lines } = await cli('steps', runId);
    expect(lines[0]).toMatch(/^STEP +REWARD +LOSS +ENTROPY +KL +NORM +SECONDS +POLICY$/);
    expect(lines[2]).toMatch(/^2 +0\.5 +-0\.01235 +- +- +- +61\.25 +222222222222$/);
    const one = (await cli('steps', runId, '--step', '1')).lines;
    expect(one).toContainEqual(expect.stringMatching(/^ranks +1$/));
    expect(one).toContainEqual(expect.stringMatching(/^note +\["x"\]$/));
    expect(await json('steps', runId, '--step', '2')).toMatchObject({ step: 2, metrics: { reward_mean: 0.5 } });
    expect(await json('steps', runId)).toMatchObject({ data: [{ step: 1 }, { step: 2 }] });
    await expect(cli('steps', runId, '--step', '3')).rejects.toThrow(/no finished step 3/);
    await expect(cli('steps', runId, '--step', '0')).rejects.toThrow(/whole number/);
  });
});
