import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createApiKey } from '../../infra/database/api-keys.js';
import {
  AgentFlow,
  BenchmarkEvaluation,
  IdempotencyKey,
  PolicyPin,
  TrainingRun,
} from '../../infra/database/entities/index.js';
import { untilSomebodyWaits } from '../../infra/database/testing/lock-wait.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import { runConfigSchema } from '../../contracts/run-config.js';
import { runCli, runCliWithAnswer } from '../../cli/testing/test-cli.js';
import { claimRuns } from '../submissions/known-policies.js';
import { RemovalsService } from '../submissions/removal/removals.service.js';
import { everything } from '../submissions/removal/testing/owned.js';
import { TestApi } from '../testing/test-api.js';

const SHA = 'a'.repeat(64);
const CONFIG = { model: 'tiny-random', steps: 1 };

/** What can be submitted that uses a run, and what it then says in the refusal of a deletion. */
const USERS = {
  'a fork': {
    path: '/v1/training_runs',
    body: (id: string) => ({ ...CONFIG, from: { policy: `${id}@0` } }),
    use: (id: string) => `starts from its policy ${id}@0`,
    entity: TrainingRun,
  },
  'a KL reference': {
    path: '/v1/training_runs',
    body: (id: string) => ({ ...CONFIG, training: { kl: { reference: `${id}@0` } } }),
    use: (id: string) => `has its policy ${id}@0 as reference`,
    entity: TrainingRun,
  },
  'a source of trajectories': {
    path: '/v1/training_runs',
    body: (id: string) => ({ ...CONFIG, training: { objective: 'sft', trajectories: { run: id } } }),
    use: () => 'learns from its trajectories',
    entity: TrainingRun,
  },
  'a question': {
    path: '/v1/agent_flows',
    body: (id: string) => ({ question: 'What is 1 plus 1?', policy: `${id}@0` }),
    use: (id: string) => `asks its policy ${id}@0`,
    entity: AgentFlow,
  },
  'an evaluation': {
    path: '/v1/evaluations',
    body: (id: string) => ({
      model: 'tiny-random',
      benchmarks: [{ name: 'atlas', questions: 1 }],
      policies: ['base', `${id}@0`],
    }),
    use: (id: string) => `evaluates its policy ${id}@0`,
    entity: BenchmarkEvaluation,
  },
};
type User = keyof typeof USERS;
const KINDS = Object.keys(USERS) as User[];

describe('DELETE /v1/training_runs/:id', () => {
  let api: TestApi;
  let id: string;

  beforeAll(async () => {
    api = await TestApi.start();
  });
  afterAll(async () => api.stop());
  beforeEach(async () => {
    gone(true);
    id = await endedRun();
  });
  afterEach(() => {
    api.workflows.failure = undefined;
  });

  const gone = (is: boolean) => {
    api.workflows.goneWorkflow = is ? { reason: 'it completed', cancelled: false } : undefined;
  };
  const endedRun = async (status: TrainingRun['status'] = 'completed'): Promise<string> => {
    const row = trainingRunRow({ status });
    await api.database.dataSource.getRepository(TrainingRun).insert(row);
    await api.commitPolicy(row.id, 0, SHA);
    return row.id;
  };
  const remove = (run = id) => api.request('delete', `/v1/training_runs/${run}`);
  const submit = (kind: User, run = id) => api.request('post', USERS[kind].path).send(USERS[kind].body(run));
  const end = async (kind: User, user: string) => {
    const ended = { status: 'cancelled', finishedAt: new Date() } as const;
    await api.database.dataSource.getRepository<TrainingRun>(USERS[kind].entity).update({ id: user }, ended);
  };
  const settled = () => api.app.get(RemovalsService).proceed();

  it('takes the run out of every list at once, then all of it; asked again it says that nothing is left', async () => {
    const key = { 'Idempotency-Key': `key-${id}` };
    const { body } = await api.request('post', '/v1/training_runs').set(key).send(CONFIG).expect(201);
    const { id: created } = body as { id: string };
    await api.commitPolicy(created, 0, SHA);
    await end('a fork', created);
    api.workflows.calls.length = 0;
    expect((await remove(created).expect(202)).text).toBe('');
    await api.request('get', `/v1/training_runs/${created}`).expect(404);
    const { body: list } = await api.request('get', '/v1/training_runs?limit=100').expect(200);
    expect(JSON.stringify(list)).not.toContain(created);
    await settled();
    await remove(created).expect(204);
    expect(api.workflows.calls).toEqual([
      ['endChildren', created],
      ['forget', created],
    ]);
    const left = await everything(api.database.dataSource, api.artifacts);
    expect(left.filter((row) => row.includes(created))).toEqual([]);
    expect(await api.database.dataSource.getRepository(IdempotencyKey).countBy({ key: key['Idempotency-Key'] })).toBe(
      0,
    );
    const again = await api.request('post', '/v1/training_runs').set(key).send(CONFIG).expect(201);
    expect((again.body as { id: string }).id).not.toBe(created);
  });

  it.each(['queued', 'running', 'pausing', 'paused', 'cancelling'] as const)(
    'refuses a run that is %s',
    async (status) => {
      const unfinished = await endedRun(status);
      const { body } = await remove(unfinished).expect(409);
      const message = `${unfinished} is ${status}; it cannot be deleted. Cancel it first, or wait until it has ended.`;
      expect(body).toMatchObject({ error: { code: 'not_ended', message } });
    },
  );

  it('refuses while its workflow has not ended, and while Temporal does not say', async () => {
    gone(false);
    expect((await remove().expect(409)).body).toMatchObject({ error: { code: 'still_ending' } });
    api.workflows.failure = Object.assign(new Error('unreachable'), { code: 14, details: '', metadata: {} });
    await remove().expect(503);
    await api.request('get', `/v1/training_runs/${id}`).expect(200);
  });

  it('is 404 for what never was, and for another project’s, before and after', async () => {
    const theirs = await createApiKey(api.database.dataSource, 'theirs');
    await remove('run-none').expect(404);
    await api.request('delete', `/v1/training_runs/${id}`, theirs).expect(404);
    await remove().expect(202);
    await api.request('delete', `/v1/training_runs/${id}`, theirs).expect(404);
  });

  it.each(KINDS)('refuses while %s uses it, names it, and lets go when that has ended', async (kind) => {
    const { body } = await submit(kind).expect(201);
    const user = (body as { id: string }).id;
    const message = `${id} cannot be deleted: ${user} (queued) ${USERS[kind].use(id)}. Cancel them first, or wait until they have ended.`;
    expect((await remove().expect(409)).body).toMatchObject({ error: { code: 'training_run_in_use', message } });
    await end(kind, user);
    await remove().expect(202);
    await settled();
    const rows = api.database.dataSource.getRepository<TrainingRun>(USERS[kind].entity);
    expect(await rows.findOneBy({ id: user })).toMatchObject({ status: 'cancelled' });
  });

  it('names ten of many that use it', async () => {
    const config = runConfigSchema.parse(USERS['a fork'].body(id));
    const forks = Array.from({ length: 12 }, () => trainingRunRow({ config, status: 'paused' }));
    await api.database.dataSource.getRepository(TrainingRun).insert(forks);
    const { body } = await remove().expect(409);
    const { message } = (body as { error: { message: string } }).error;
    expect(message.match(/\(paused\)/g)).toHaveLength(10);
    expect(message).toContain('2 more use it');
  });

  it('refuses while policies of it are pinned, names them, and lets go when none is', async () => {
    for (let step = 1; step <= 11; step += 1) await api.commitPolicy(id, step, SHA);
    const change = (step: number, verb: 'pin' | 'unpin') =>
      api.request('post', `/v1/policies/${id}@${step}/${verb}`).expect(200);
    for (let step = 0; step <= 11; step += 1) await change(step, 'pin');
    const { body } = await remove().expect(409);
    expect(body).toMatchObject({ error: { code: 'policies_pinned' } });
    const { message } = (body as { error: { message: string } }).error;
    expect(message).toContain(`${id}@0, ${id}@1, `);
    expect(message).toContain(`${id}@9, 2 more are pinned. Unpin them first: npx agentflow policies unpin ${id}@0`);
    for (let step = 0; step <= 10; step += 1) await change(step, 'unpin');
    await remove().expect(409);
    await change(11, 'unpin');
    await remove().expect(202);
    await settled();
    await api.request('post', `/v1/policies/${id}@0/pin`).expect(404);
  });

  it('of a deletion and a pin at the same moment, one goes through', async () => {
    for (let round = 0; round < 10; round++) {
      const run = await endedRun();
      const pinning = api.request('post', `/v1/policies/${run}@0/pin`);
      const [pinned, removed] = await Promise.all([pinning, remove(run)]);
      expect([
        [200, 409],
        [404, 202],
      ]).toContainEqual([pinned.status, removed.status]);
    }
    await settled();
  });

  it('keeps a pin waiting that comes meanwhile, and it finds no policy', async () => {
    const runner = api.database.dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.query("INSERT INTO removals (id, project) VALUES ($1, 'default')", [id]);
    await runner.query('DELETE FROM training_runs WHERE id = $1', [id]);
    const pinning = api.request('post', `/v1/policies/${id}@0/pin`).then((response) => response);
    await untilSomebodyWaits(api.database.dataSource);
    await runner.commitTransaction();
    await runner.release();
    expect((await pinning).body).toMatchObject({ error: { code: 'policy_not_found' } });
    expect(await api.database.dataSource.getRepository(PolicyPin).countBy({ runId: id })).toBe(0);
  });

  it.each(KINDS)('after it, %s of it is refused', async (kind) => {
    await remove().expect(202);
    const { body } = await submit(kind).expect(400);
    expect(JSON.stringify(body)).toMatch(/there is no (training run|policy)/);
  });

  it.each(KINDS)('%s that ended and used it is not revived any more', async (kind) => {
    const { body } = await submit(kind).expect(201);
    const user = (body as { id: string }).id;
    await end(kind, user);
    await remove().expect(202);
    const refused = await api.request('post', `${USERS[kind].path}/${user}/revive`).expect(400);
    expect(JSON.stringify(refused.body)).toContain(id);
    await api.request('get', `${USERS[kind].path}/${user}`).expect(200, /cancelled/);
  });

  it('waits for what is being submitted and has found the run, and is refused', async () => {
    const fork = trainingRunRow({ config: runConfigSchema.parse(USERS['a fork'].body(id)) });
    const removing = await api.database.dataSource.transaction(async (manager) => {
      await manager.insert(TrainingRun, fork);
      await claimRuns(manager, 'default', [{ param: 'from.policy', run: id }]);
      const request = remove().then((response) => response);
      await untilSomebodyWaits(api.database.dataSource);
      return { request };
    });
    expect((await removing.request).status).toBe(409);
  });

  it.each(KINDS)('keeps %s waiting that comes meanwhile, and it is refused', async (kind) => {
    const runner = api.database.dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.query('DELETE FROM training_runs WHERE id = $1', [id]);
    const submitting = submit(kind).then((response) => response);
    await untilSomebodyWaits(api.database.dataSource);
    await runner.commitTransaction();
    await runner.release();
    const { status, body } = await submitting;
    expect([status, body]).toMatchObject([400, { error: { code: 'training_run_deleted' } }]);
    const rows = api.database.dataSource.getRepository<TrainingRun>(USERS[kind].entity);
    expect((await rows.find()).filter((row) => JSON.stringify(row).includes(id))).toEqual([]);
  });

  it('of a deletion and what is submitted at the same moment, one goes through', async () => {
    for (let round = 0; round < 4; round++) {
      for (const kind of KINDS) {
        const run = await endedRun();
        const [submitted, removed] = await Promise.all([submit(kind, run), remove(run)]);
        expect([
          [201, 409],
          [400, 202],
        ]).toContainEqual([submitted.status, removed.status]);
      }
    }
    await settled();
  });

  it('of a deletion and a revive at the same moment, one goes through', async () => {
    for (let round = 0; round < 10; round++) {
      const run = await endedRun('failed');
      const reviving = api.request('post', `/v1/training_runs/${run}/revive`);
      const [revived, removed] = await Promise.all([reviving, remove(run)]);
      expect([
        [200, 409],
        [404, 202],
      ]).toContainEqual([revived.status, removed.status]);
    }
    await settled();
  });

  it('several at once are one', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => remove()));
    for (const { status } of answers) expect([202, 204]).toContain(status);
    await settled();
    await remove().expect(204);
  });

  describe('agentflow runs delete', () => {
    it('asks, and deletes when the run’s id is typed', async () => {
      const cli = (answer: string | undefined, ...more: string[]) =>
        runCliWithAnswer(answer, { url: api.url, key: api.key }, 'runs', 'delete', id, ...more);
      await expect(cli(undefined)).rejects.toThrow(
        'Nothing was deleted: there is no terminal to ask on. Add --yes to delete without a question.',
      );
      await expect(cli('yes')).rejects.toThrow(`Nothing was deleted: the answer is not ${id}.`);
      await api.request('get', `/v1/training_runs/${id}`).expect(200);
      const { lines } = await cli(`${id}\n`);
      expect(lines[0]).toBe(`This deletes ${id} for good: test, completed, 0 of 2 steps. Its policies go too.`);
      await api.request('get', `/v1/training_runs/${id}`).expect(404);
    });

    it('does not ask with --yes, may be repeated, and says why it was refused', async () => {
      const cli = (run: string) => runCli({ url: api.url, key: api.key }, 'runs', 'delete', run, '--yes');
      for (let i = 0; i < 2; i++) expect((await cli(id)).lines).toHaveLength(1);
      await settled();
      expect((await cli(id)).lines[0]).toMatch(`Deleted ${id}.`);
      await expect(cli(await endedRun('running'))).rejects.toThrow(/is running; it cannot be deleted/);
    });
  });
});
