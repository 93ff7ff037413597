import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createApiKey } from '../../infra/database/api-keys.js';
import { TestApi } from '../testing/test-api.js';

const CONFIG = { model: 'tiny-random', steps: 1 };

describe('a run that another one names', () => {
  let api: TestApi;
  let id: string;
  let theirKey: string;

  beforeAll(async () => {
    api = await TestApi.start();
    theirKey = await createApiKey(api.database.dataSource, 'theirs');
    const { body } = await api.request('post', '/v1/training_runs', theirKey).send(CONFIG).expect(201);
    id = (body as { id: string }).id;
  });
  afterAll(() => api.stop());

  const submit = (changes: object, key?: string) =>
    api.request('post', '/v1/training_runs', key).send({ ...CONFIG, ...changes });

  it.each([
    ['from.policy', () => ({ from: { policy: `${id}@0` } })],
    ['training.kl.reference', () => ({ training: { kl: { reference: `${id}@0` } } })],
    ['training.trajectories.run', () => ({ training: { objective: 'sft', trajectories: { run: id } } })],
  ])('must not be another project’s: %s', async (param, named) => {
    const { body } = await submit(named()).expect(400);
    const message = expect.stringContaining(`${param}: there is no training run "${id}".`);
    expect(body).toMatchObject({ error: { code: 'invalid_run_configuration', param, message } });
    await submit(named(), theirKey).expect(201);
  });
});
