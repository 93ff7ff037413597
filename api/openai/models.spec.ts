import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import OpenAI from 'openai';
import { createApiKey } from '../../infra/database/api-keys.js';
import { HeldOutEvaluation, Policy, TrainingRun } from '../../infra/database/entities/index.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import { loadOperatorFile } from '../../infra/config/operator-file.js';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { TestApi } from '../testing/test-api.js';

const registered = loadOperatorFile(`${PROJECT_ROOT}/infra/local/operator.yaml`);
const REGISTERED = ['smollm2-135m-instruct', 'tiny-random', 'some-provider-s-model'];

describe('the list of models, read by the official client of Node', () => {
  let api: TestApi;
  let client: OpenAI;
  let run: string;
  let empty: string;

  beforeAll(async () => {
    api = await TestApi.start({
      operator: {
        ...registered,
        providers: { local: { kind: 'openai-compatible', base_url: 'http://127.0.0.1:1/v1' } },
        language_models: {
          'some-provider-s-model': {
            provider: 'local',
            model: 'm',
            context: 2048,
            output: 'text',
            images: true,
            temperature: true,
          },
        },
      },
    });
    client = new OpenAI({ baseURL: `${api.url}/openai/v1`, apiKey: api.key, maxRetries: 0 });
    [empty, run] = await Promise.all([newRun(), newRun()]);
    for (const step of [0, 3, 4, 10]) await api.commitPolicy(run, step, String(step));
    const { uri } = await api.database.dataSource.getRepository(Policy).findOneByOrFail({ runId: run, step: 3 });
    await rm(new URL(uri), { recursive: true });
  });
  afterAll(async () => api.stop());

  const newRun = async (): Promise<string> => {
    const row = trainingRunRow();
    await api.database.dataSource.getRepository(TrainingRun).insert(row);
    return row.id;
  };
  const evaluate = async (step: number, planner: 'policy' | 'oracle', accuracy: number): Promise<void> => {
    await api.database.dataSource.getRepository(HeldOutEvaluation).insert({
      id: `${run}/eval/${step}/${planner}`,
      runId: run,
      step,
      planner,
      policyName: `${run}@${step}`,
      policySha256: String(step),
      questions: 10,
      correct: 0,
      failed: 0,
      accuracy,
      intervalLow: 0,
      intervalHigh: 1,
      byFamily: {},
      meanTurns: 1,
      toolMix: {},
    });
  };
  const ids = async (): Promise<string[]> => {
    const { data } = await client.models.list();
    return data.map(({ id }) => id);
  };
  const retrieve = async (id: string): Promise<unknown> =>
    client.models.retrieve(id).then(
      (model) => model.id,
      (error: { status: number; code: string; param: string }) => [error.status, error.code, error.param],
    );
  const UNKNOWN = [404, 'model_not_found', 'model'];

  it('has the policies that stand, newest first, an alias of the newest, and what the operator registered', async () => {
    expect(await ids()).toEqual([`${run}@10`, `${run}@4`, `${run}@0`, `${run}@latest`, ...REGISTERED]);
    const { data } = await client.models.list();
    expect(data[0]).toMatchObject({ object: 'model', owned_by: 'default' });
    expect(data.every(({ created }) => Number.isInteger(created))).toBe(true);
  });

  it('has an alias of the best once a policy was evaluated: of those that stand, and of equal ones the earlier', async () => {
    expect(await retrieve(`${run}@best`)).toEqual(UNKNOWN);
    await evaluate(10, 'policy', 0.7);
    await evaluate(4, 'policy', 0.7);
    await evaluate(3, 'policy', 0.9);
    await evaluate(0, 'oracle', 1);
    expect(await ids()).toContain(`${run}@best`);
    const best = await client.models.retrieve(`${run}@best`);
    const policies = await Promise.all([4, 10].map((step) => client.models.retrieve(`${run}@${step}`)));
    expect(best).toEqual({ ...policies[0], id: `${run}@best` });
  });

  it('gives each that it lists, under its id, and the planner of a policy', async () => {
    for (const id of [...(await ids()), `policy:${run}@4`]) expect(await retrieve(id)).toBe(id);
  });

  it('knows no policy that was collected, no run without one, and nothing of another project', async () => {
    for (const id of [
      `${run}@3`,
      `policy:${run}@3`,
      `${run}@5`,
      `${empty}@latest`,
      empty,
      'a/b@1',
      'policy:tiny-random',
    ]) {
      expect(await retrieve(id)).toEqual(UNKNOWN);
    }
    const key = await createApiKey(api.database.dataSource, 'other');
    const other = new OpenAI({ baseURL: `${api.url}/openai/v1`, apiKey: key, maxRetries: 0 });
    expect((await other.models.list()).data.map(({ id }) => id)).toEqual(REGISTERED);
    await expect(other.models.retrieve(`${run}@4`)).rejects.toMatchObject({ status: 404 });
    const asking = other.chat.completions.create({ model: `${run}@4`, messages: [{ role: 'user', content: 'Why?' }] });
    await expect(asking).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
  });

  it('refuses to ask a policy that was collected', async () => {
    const messages = [{ role: 'user' as const, content: 'Why?' }];
    for (const model of [`${run}@3`, `policy:${run}@3`]) {
      const asking = client.chat.completions.create({ model, messages });
      await expect(asking).rejects.toMatchObject({ status: 400, code: 'policy_collected' });
    }
  });
});
