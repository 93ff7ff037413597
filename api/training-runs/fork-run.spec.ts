import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createApiKey } from '../../infra/database/api-keys.js';
import { TrainingRun } from '../../infra/database/entities/index.js';
import { TestApi } from '../testing/test-api.js';
import type { TrainingRunDto } from './dto/training-run.dto.js';

const PATH = '/v1/training_runs';
const CONFIG = { name: 'parent', model: 'tiny-random', steps: 4, training: { group_size: 4, learning_rate: 1e-3 } };

describe('POST /v1/training_runs/{id}/fork', () => {
  let api: TestApi;
  let parent: TrainingRunDto;

  beforeAll(async () => {
    api = await TestApi.start();
    parent = (await api.request('post', PATH).send(CONFIG).expect(201)).body as TrainingRunDto;
    for (const step of [0, 1, 2]) await api.commitPolicy(parent.id, step, 'a'.repeat(64));
    await commit(2);
  });
  afterAll(async () => api.stop());

  const commit = (step: number) =>
    api.database.dataSource.getRepository(TrainingRun).update({ id: parent.id }, { step });
  const fork = (body?: object, key?: string) => {
    const request = api.request('post', `${PATH}/${parent.id}/fork`);
    return (key === undefined ? request : request.set('Idempotency-Key', key)).send(body);
  };

  it('makes a run with the same configuration, from the last committed policy', async () => {
    const { body, headers } = await fork().expect(201);
    const run = body as TrainingRunDto;
    expect(run.config).toEqual({
      ...parent.config,
      from: { policy: `${parent.id}@2`, optimizer: false, allow: [] },
    });
    expect(run.id).not.toBe(parent.id);
    expect(headers['location']).toBe(`${PATH}/${run.id}`);
  });

  it('takes a step and changes of the configuration, where null takes a key away', async () => {
    const overrides = { name: 'child', steps: 9, training: { learning_rate: null, kl: { coefficient: 0 } } };
    const { body } = await fork({ step: 1, optimizer: true, allow: ['prompts'], overrides }).expect(201);
    expect((body as TrainingRunDto).config).toMatchObject({
      name: 'child',
      steps: 9,
      training: { group_size: 4, learning_rate: 1e-4, kl: { coefficient: 0, estimator: 'k3' } },
      from: { policy: `${parent.id}@1`, optimizer: true, allow: ['prompts'] },
    });
  });

  it.each([
    [{ step: 7 }, /no policy "run-.*@7"/],
    [{ overrides: { training: { group_size: 1 } } }, /at least 2/],
    [{ overrides: { model: 'gpt-9' } }, /no model "gpt-9"/],
    [{ overrides: { teps: 3 } }, /teps/],
    [{ overrides: [] }, /overrides/],
    [{ from: { policy: 'run-x@1' } }, /from/],
    [{ step: -1 }, /step/],
  ])('refuses %j, as the creation of a run does', async (body, message) => {
    const { body: refused } = await fork(body).expect(400);
    expect((refused as { error: { message: string } }).error.message).toMatch(message);
  });

  it('gives the same fork again for a key, also if another step was committed since', async () => {
    const first = await fork({}, 'again').expect(201);
    await api.commitPolicy(parent.id, 3, 'b'.repeat(64));
    await commit(3);
    const second = await fork({}, 'again').expect(200);
    expect((second.body as TrainingRunDto).id).toBe((first.body as TrainingRunDto).id);
    await fork({ step: 1 }, 'again').expect(409);
  });

  it("forks no other project's run", async () => {
    const key = await createApiKey(api.database.dataSource, 'other');
    await api.request('post', `${PATH}/${parent.id}/fork`, key).send({}).expect(404);
  });
});

describe('the ETag of a run', () => {
  let api: TestApi;
  let path: string;

  beforeAll(async () => {
    api = await TestApi.start();
    const { body } = await api.request('post', PATH).send(CONFIG).expect(201);
    path = `${PATH}/${(body as TrainingRunDto).id}`;
  });
  afterAll(async () => api.stop());

  const tag = async () => (await api.request('get', path).expect(200)).headers['etag'];

  it('changes when the run does, and a request with an old one is refused', async () => {
    const before = await tag();
    expect(before).toMatch(/^"[0-9a-f]{32}"$/);
    expect(await tag()).toBe(before);
    await api.request('get', path).set('If-None-Match', before).expect(304);
    await api.request('post', `${path}/extend`).set('If-Match', before).send({ steps: 5 }).expect(200);
    await api.database.dataSource.getRepository(TrainingRun).update({ id: path.split('/')[3] }, { steps: 5 });
    expect(await tag()).not.toBe(before);
    api.workflows.calls.length = 0;
    for (const [method, url, tags] of [
      ['post', `${path}/pause`, before],
      ['post', `${path}/cancel`, `W/${await tag()}`],
      ['delete', path, `"x", ${before}`],
    ] as const) {
      const { body } = await api.request(method, url).set('If-Match', tags).expect(412);
      expect(body).toMatchObject({ error: { code: 'precondition_failed', param: 'If-Match' } });
    }
    expect(api.workflows.calls).toEqual([]);
    await api
      .request('post', `${path}/pause`)
      .set('If-Match', `"x", ${await tag()}`)
      .expect(200);
    await api.request('post', `${path}/pause`).set('If-Match', '*').expect(200);
    await api.request('post', `${path}/pause`).expect(200);
  });
});
