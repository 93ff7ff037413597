import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Policy } from '../../infra/database/entities/index.js';
import { createApiKey } from '../../infra/database/api-keys.js';
import { TestApi } from '../testing/test-api.js';

const SHA = 'a'.repeat(64);
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
    await api.commitPolicy(id, 0, SHA);
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

  it.each([
    ['from.policy', (policy: string) => ({ from: { policy } })],
    ['training.kl.reference', (reference: string) => ({ training: { kl: { reference } } })],
  ])('must have the policy: %s', async (param, naming) => {
    const { body } = await submit(naming(`${id}@7`), theirKey).expect(400);
    const message = expect.stringContaining(`${param}: there is no policy "${id}@7": the last step of ${id} is 0.`);
    expect(body).toMatchObject({ error: { code: 'invalid_run_configuration', param, message } });
    await api.commitPolicy(id, 1, SHA);
    const { uri } = await api.database.dataSource.getRepository(Policy).findOneByOrFail({ runId: id, step: 1 });
    await rm(new URL(uri), { recursive: true });
    const { body: collected } = await submit(naming(`${id}@1`), theirKey).expect(400);
    expect(collected).toMatchObject({ error: { code: 'policy_collected', param } });
    await api.database.dataSource.getRepository(Policy).delete({ runId: id, step: 1 });
  });
});
