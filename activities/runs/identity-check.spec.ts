import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TrainingRun } from '../../infra/database/entities/index.js';
import { createTestDatabase, type TestDatabase } from '../../infra/database/testing/test-database.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import type { RunAgreement } from '../../contracts/agent-activities.js';
import { withIdentityCheck } from './identity-check.js';

const HERE = {
  model: 'tiny-random',
  planner_prompt: 'new',
  module_prompts: 'others',
  dataset_texts: 'texts',
  reward: 'exact',
};

describe(withIdentityCheck, () => {
  let database: TestDatabase;
  let runId: string;
  let resolved: number;
  let called: unknown[];

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => database.drop());
  beforeEach(async () => {
    const row = trainingRunRow();
    runId = row.id;
    [resolved, called] = [0, []];
    await database.dataSource.getRepository(TrainingRun).insert(row);
  });

  function activities() {
    const call = (input: { flow?: RunAgreement; run?: RunAgreement }) => Promise.resolve(void called.push(input));
    return withIdentityCheck({ call }, database.dataSource, () => {
      resolved += 1;
      return Promise.resolve(HERE);
    });
  }

  it('I8: refuses a call of a run that goes by other prompts, before it does anything, and says what to do', async () => {
    const { call } = activities();
    const identity = { planner_prompt: 'old', dataset_texts: 'others', reward: 'exact' };
    for (const input of [{ flow: { runId, identity } }, { run: { runId, identity } }]) {
      await expect(call(input)).rejects.toMatchObject({
        type: 'WrongIdentity',
        nonRetryable: true,
        message: expect.stringMatching(
          /prompts \(planner_prompt: old of the run, new here\).*--allow prompts,dataset$/,
        ),
      });
    }
    expect(called).toEqual([]);
  });

  it('I8: refuses a call of a run whose frozen modules have other prompts', async () => {
    const { call } = activities();
    const identity = { planner_prompt: 'new', module_prompts: 'old' };
    await expect(call({ flow: { runId, identity } })).rejects.toMatchObject({
      type: 'WrongIdentity',
      message: expect.stringMatching(/prompts \(module_prompts: old of the run, others here\).*--allow prompts$/),
    });
    expect(called).toEqual([]);
  });

  it('passes on what agrees, and what belongs to no run, and asks once what this process has', async () => {
    const { call } = activities();
    const identity = { planner_prompt: 'new', reward: 'exact' };
    for (let n = 0; n < 3; n += 1) await call({ flow: { runId, identity } });
    await call({ flow: { runId: 'ask-1' } });
    expect(called).toHaveLength(4);
    expect(resolved).toBe(1);
  });

  it('asks again after it could not be told', async () => {
    const { call } = activities();
    const identity = { planner_prompt: 'new' };
    await database.dataSource.getRepository(TrainingRun).delete({ id: runId });
    await expect(call({ flow: { runId, identity } })).rejects.toThrow();
    await database.dataSource.getRepository(TrainingRun).insert(trainingRunRow({ id: runId }));
    await call({ flow: { runId, identity } });
    expect(called).toHaveLength(1);
  });
});
