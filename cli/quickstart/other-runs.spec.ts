import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TrainingRun } from '../../infra/database/entities/index.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import { runConfigSchema } from '../../contracts/run-config.js';
import { TestApi } from '../../api/testing/test-api.js';
import { ApiClient } from '../client/api-client.js';
import { describeOtherRuns, runsBeside } from './other-runs.js';
import { startOrResume } from './start-or-resume.js';

const config = (seed: number) => runConfigSchema.parse({ name: 'quickstart', model: 'tiny-random', steps: 2, seed });

describe(runsBeside, () => {
  let api: TestApi;
  let client: ApiClient;

  beforeAll(async () => {
    api = await TestApi.start();
    client = new ApiClient(api);
    const rows = (['cancelled', 'completed', 'failed', 'paused'] as const).map((status) => trainingRunRow({ status }));
    await api.database.dataSource.getRepository(TrainingRun).insert(rows);
  });
  afterAll(async () => api.stop());

  it('says nothing where there is no other run at work', async () => {
    const { run } = await startOrResume(client, config(0));
    expect(await runsBeside(client, run)).toEqual([]);
    expect(describeOtherRuns(run, [])).toEqual([]);
  });

  it('names an interrupted run of another seed, and the commands for having one run at a time', async () => {
    const { run: other } = await startOrResume(client, config(0));
    await api.database.dataSource.getRepository(TrainingRun).update({ id: other.id }, { status: 'running', step: 1 });
    const { run, resumed } = await startOrResume(client, config(1));
    expect(resumed).toBe(false);
    expect(describeOtherRuns(run, await runsBeside(client, run))).toEqual([
      '',
      `${other.id} (quickstart, seed 0) is not finished: step 1 of 2.`,
      `The stack works on it and on ${run.id} at once, so that each takes longer. In another terminal:`,
      `  npx agentflow runs cancel ${other.id}  end it`,
      `  npx agentflow runs watch ${other.id}   see how it does`,
      `  npx agentflow runs pause ${run.id}   let it go on without this one, for as long as it is paused`,
      `  npx agentflow runs resume ${run.id}  bring this one back`,
      '',
    ]);
  });

  it('says so too where an interrupted run is resumed beside it', async () => {
    const { run, resumed } = await startOrResume(client, config(0));
    expect(resumed).toBe(true);
    expect((await runsBeside(client, run)).map(({ seed }) => seed)).toEqual([1]);
  });
});
