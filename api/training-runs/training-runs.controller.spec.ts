import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createApiKey } from '../../infra/database/api-keys.js';
import { Checkpoint, RunEvent, TrainingRun, TrainingStep } from '../../infra/database/entities/index.js';
import { TestApi } from '../testing/test-api.js';
import { TrainingRunsController } from './training-runs.controller.js';
import { stepAnswers } from '../../infra/database/testing/step-answers.js';
import type { TrainingRunDto } from './dto/training-run.dto.js';

const CONFIG = { model: 'tiny-random', steps: 2 };
const PATH = '/v1/training_runs';

describe(TrainingRunsController, () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await TestApi.start();
  });
  afterAll(async () => api.stop());
  afterEach(() => {
    api.workflows.failure = undefined;
    api.workflows.calls.length = 0;
  });

  const create = async (config: object = CONFIG): Promise<TrainingRunDto> =>
    (await api.request('post', PATH).send(config).expect(201)).body as TrainingRunDto;
  const count = (): Promise<number> => api.database.dataSource.getRepository(TrainingRun).count();

  it('creates a queued run with its first event and starts its workflow', async () => {
    const run = await create();
    expect(run).toMatchObject({ object: 'training_run', status: 'queued', step: 0, steps: 2, model: 'tiny-random' });
    expect(run.id).toMatch(/^run-[a-z2-7]{10}$/);
    expect(run.config.training).toMatchObject({ group_size: 8 });
    expect(api.workflows.calls).toEqual([['start', run.id]]);
    const events = await api.database.dataSource.getRepository(RunEvent).findBy({ runId: run.id });
    expect(events).toMatchObject([{ sequence: 1, type: 'run.queued' }]);
    const { body } = await api.request('get', `${PATH}/${run.id}`).expect(200);
    expect(body).toEqual(run);
  });

  it('takes YAML', async () => {
    const response = await api
      .request('post', PATH)
      .type('application/yaml')
      .send('model: tiny-random\nsteps: 3\ntraining: { group_size: 4 }\n')
      .expect(201);
    expect(response.body).toMatchObject({ steps: 3, config: { training: { group_size: 4 } } });
    expect(response.headers['location']).toBe(`${PATH}/${(response.body as TrainingRunDto).id}`);
  });

  it('keeps a run queued where Temporal does not answer', async () => {
    api.workflows.failure = new Error('connection refused');
    expect((await create()).status).toBe('queued');
  });

  it('gives the same run again for an equal Idempotency-Key and body, in whatever format and order', async () => {
    const first = await api.request('post', PATH).set('Idempotency-Key', 'one').send(CONFIG).expect(201);
    const before = await count();
    const again = await api
      .request('post', PATH)
      .set('Idempotency-Key', 'one')
      .type('application/yaml')
      .send('steps: 2\nmodel: tiny-random')
      .expect(200);
    expect(again.body).toEqual(first.body);
    expect(await count()).toBe(before);
  });

  it('makes one run of simultaneous requests with one Idempotency-Key', async () => {
    const before = await count();
    const responses = await Promise.all(
      Array.from({ length: 8 }, () => api.request('post', PATH).set('Idempotency-Key', 'race').send(CONFIG)),
    );
    expect(new Set(responses.map(({ body }) => (body as TrainingRunDto).id)).size).toBe(1);
    expect(responses.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(await count()).toBe(before + 1);
  });

  it('refuses an Idempotency-Key with another body, and shares none between projects', async () => {
    const first = await api.request('post', PATH).set('Idempotency-Key', 'two').send(CONFIG).expect(201);
    const reused = await api
      .request('post', PATH)
      .set('Idempotency-Key', 'two')
      .send({ ...CONFIG, steps: 3 })
      .expect(409);
    expect(reused.body).toMatchObject({ error: { code: 'idempotency_key_reused', param: 'Idempotency-Key' } });
    const otherKey = await createApiKey(api.database.dataSource, 'other');
    const other = await api.request('post', PATH, otherKey).set('Idempotency-Key', 'two').send(CONFIG).expect(201);
    expect((other.body as TrainingRunDto).id).not.toBe((first.body as TrainingRunDto).id);
  });

  it('lists runs newest first in pages, of the own project only', async () => {
    const key = await createApiKey(api.database.dataSource, 'pages');
    const ids: string[] = [];
    for (let index = 0; index < 3; index++) {
      const { body } = await api.request('post', PATH, key).send(CONFIG).expect(201);
      ids.unshift((body as TrainingRunDto).id);
    }
    const first = await api.request('get', `${PATH}?limit=2`, key).expect(200);
    expect(first.body).toMatchObject({ object: 'list', has_more: true, first_id: ids[0], last_id: ids[1] });
    const second = await api.request('get', `${PATH}?limit=2&after=${ids[1]}`, key).expect(200);
    expect(second.body).toMatchObject({ has_more: false, data: [{ id: ids[2] }] });
    await api.request('get', `${PATH}?after=run-none`, key).expect(400);
    await api.request('get', `${PATH}?limit=0`, key).expect(400);
    await api.request('get', `${PATH}/${ids[0]}`).expect(404);
  });

  it('refuses values that the database cannot hold', async () => {
    const { id } = await create();
    await api.request('get', `${PATH}/run%00`).expect(404);
    const page = await api.request('get', `${PATH}/${id}/steps?after=99999999999`).expect(400);
    expect(page.body).toMatchObject({ error: { param: 'after' } });
    const named = await api
      .request('post', PATH)
      .send({ ...CONFIG, name: 'a\u0000b' })
      .expect(400);
    expect(named.body).toMatchObject({
      error: { code: 'invalid_json', message: expect.stringContaining('name holds a NUL character') },
    });
  });

  it('refuses a body without a bottom, also one with an Idempotency-Key', async () => {
    const body = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
    const invalid = { error: { code: 'invalid_json', message: expect.stringContaining('nested too deeply') } };
    const send = () => api.request('post', PATH).type('application/json').send(body).expect(400);
    expect((await send()).body).toMatchObject(invalid);
    expect((await send().set('Idempotency-Key', 'deep')).body).toMatchObject(invalid);
  });

  it('lists steps and checkpoints', async () => {
    const { id } = await create();
    const { dataSource } = api.database;
    const steps = [1, 2].map((step) => ({ runId: id, step, policySha256: `${step}`, metrics: { loss: step } }));
    const answers = stepAnswers();
    Object.assign(steps[1], { answers });
    await dataSource.getRepository(TrainingStep).insert(steps);
    await dataSource
      .getRepository(Checkpoint)
      .insert({ runId: id, step: 2, uri: 'file:///checkpoint', sha256: 'ab', bytes: 5_000_000_000 });
    const page = await api.request('get', `${PATH}/${id}/steps?after=1`).expect(200);
    expect(page.body).toMatchObject({
      data: [{ step: 2, metrics: { loss: 2 }, answers }],
      last_id: '2',
      has_more: false,
    });
    const first = await api.request('get', `${PATH}/${id}/steps?limit=1`).expect(200);
    expect(first.body).toMatchObject({ data: [{ step: 1, answers: null }] });
    const ofStep = async (list: string, step: number | string) =>
      (
        (await api.request('get', `${PATH}/${id}/${list}?step=${step}`).expect(200)).body as {
          data: { step: number }[];
        }
      ).data;
    expect((await ofStep('steps', 2)).map(({ step }) => step)).toEqual([2]);
    expect((await ofStep('checkpoints', 2)).map(({ step }) => step)).toEqual([2]);
    expect(await ofStep('steps', 3)).toEqual([]);
    await api.request('get', `${PATH}/${id}/steps?step=last`).expect(400);
    const checkpoints = await api.request('get', `${PATH}/${id}/checkpoints`).expect(200);
    expect(checkpoints.body).toMatchObject({ data: [{ policy: `${id}@2`, bytes: 5_000_000_000, removed_at: null }] });
  });
});
