import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Checkpoint, HeldOutEvaluation, PolicyPin, TrainingRun } from '../../infra/database/entities/index.js';
import { untilSomebodyWaits } from '../../infra/database/testing/lock-wait.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import { TestApi } from '../testing/test-api.js';
import { PoliciesController } from './policies.controller.js';
import type { PolicyDto } from './policy.dto.js';

const STEPS = 12;
/** Those whose files were collected. */
const COLLECTED = [1, 2, 4];

/*
 * What users of such registries found: a run that is deleted takes a model along that somebody relies on
 * (mlflow/mlflow#3160, wandb/wandb#8631), and what is to be kept for ever is collected with the rest (allenai/OLMo#59,
 * checkpoint-restore/checkpoint-restore-operator#108).
 */
describe(PoliciesController, () => {
  let api: TestApi;
  let runId: string;

  beforeAll(async () => {
    api = await TestApi.start();
  });
  afterAll(async () => api.stop());
  beforeEach(async () => {
    const run = trainingRunRow();
    runId = run.id;
    await api.database.dataSource.getRepository(TrainingRun).insert(run);
    for (let step = 0; step <= STEPS; step += 1) await api.commitPolicy(runId, step, `sha of ${step}`);
    for (const step of COLLECTED) await withdraw(step);
  });

  /** As a collection does it, which decides later whether it goes. */
  async function withdraw(step: number): Promise<void> {
    const directory = join(api.artifacts, 'runs', runId, 'policies');
    const name = String(step).padStart(6, '0');
    await rename(join(directory, name), join(directory, `.withdrawn-${name}-ab`));
  }

  const get = async (path: string): Promise<PolicyDto> =>
    (await api.request('get', `/v1/policies/${path}`).expect(200)).body as PolicyDto;
  const steps = async (query = ''): Promise<number[]> => {
    const { body } = await api.request('get', `/v1/policies?run_id=${runId}&limit=100${query}`).expect(200);
    return (body as { data: PolicyDto[] }).data.map(({ step }) => step);
  };
  const evaluation = (step: number, correct: number, createdAt: string, planner: 'policy' | 'oracle' = 'policy') => ({
    id: `${runId}/eval/${step}/${planner}/${createdAt}`,
    runId,
    step,
    planner,
    policyName: `${runId}@${step}`,
    policySha256: 'ab',
    questions: 100,
    correct,
    failed: 0,
    accuracy: correct / 100,
    intervalLow: 0.25,
    intervalHigh: 0.75,
    byFamily: {},
    meanTurns: 1,
    toolMix: {},
    createdAt: new Date(createdAt),
  });

  it('gives a policy with what is known of it, by its name with and without %40', async () => {
    const { dataSource } = api.database;
    await dataSource
      .getRepository(HeldOutEvaluation)
      .insert([
        evaluation(3, 40, '2026-01-02T00:00:00Z'),
        evaluation(3, 50, '2026-01-03T00:00:00Z'),
        evaluation(3, 99, '2026-01-04T00:00:00Z', 'oracle'),
      ]);
    const checkpoint = { runId, uri: 'file:///c', sha256: 'ab', bytes: 1 };
    await dataSource.getRepository(Checkpoint).insert([
      { ...checkpoint, step: 3 },
      { ...checkpoint, step: 5, removedAt: new Date() },
    ]);
    const policy = await get(`${runId}@3`);
    expect(policy).toEqual({
      id: `${runId}@3`,
      object: 'policy',
      run_id: runId,
      step: 3,
      sha256: 'sha of 3',
      parent_sha256: null,
      has_files: true,
      pinned_at: null,
      has_checkpoint: true,
      evaluation: { accuracy: 0.5, interval: [0.25, 0.75], questions: 100, correct: 50 },
      created_at: expect.stringMatching(/^20.*Z$/),
    });
    expect(await get(`${runId}%403`)).toEqual(policy);
    expect(await get(`${runId}@5`)).toMatchObject({ has_checkpoint: false, evaluation: null });
    expect(await get(`${runId}@4`)).toMatchObject({ has_files: false });
  });

  it('lists those of a run by their numbers, in pages, and those whose files are there', async () => {
    const all = Array.from({ length: STEPS + 1 }, (_, step) => step);
    expect(await steps()).toEqual(all);
    expect(await steps('&has_files=true')).toEqual(all.filter((step) => !COLLECTED.includes(step)));
    expect(await steps('&has_files=false')).toEqual(COLLECTED);
    const found: number[] = [];
    for (let after = ''; ;) {
      const { body } = await api
        .request('get', `/v1/policies?run_id=${runId}&has_files=true&limit=3${after}`)
        .expect(200);
      const page = body as { data: PolicyDto[]; has_more: boolean; last_id: string };
      found.push(...page.data.map(({ step }) => step));
      if (!page.has_more) break;
      after = `&after=${encodeURIComponent(page.last_id)}`;
    }
    expect(found).toEqual(await steps('&has_files=true'));
  });

  it('of a run that has none yet, lists none; of no run, 404', async () => {
    const { id } = trainingRunRow();
    await api.database.dataSource.getRepository(TrainingRun).insert(trainingRunRow({ id }));
    const { body } = await api.request('get', `/v1/policies?run_id=${id}&has_files=false`).expect(200);
    expect(body).toMatchObject({ data: [], has_more: false, last_id: null });
    await api.request('get', '/v1/policies?run_id=run-none').expect(404);
    await api.request('get', '/v1/policies').expect(400);
  });

  it.each(['@', '@13', '@01', '@-1', '@1e1', '@latest', '@99999999999', '', '@3/x', '@3@3'])(
    'knows no policy RUN%s',
    async (end) => {
      const id = encodeURIComponent(`${runId}${end}`);
      expect((await api.request('get', `/v1/policies/${id}`).expect(404)).body).toMatchObject({
        error: { code: 'policy_not_found', param: 'id' },
      });
      for (const verb of ['pin', 'unpin']) await api.request('post', `/v1/policies/${id}/${verb}`).expect(404);
      await api.request('get', `/v1/policies?run_id=${runId}&after=${id}`).expect(400);
    },
  );

  it('pins once, however often it is asked, and unpins', async () => {
    const verb = async (name: 'pin' | 'unpin'): Promise<PolicyDto> =>
      (await api.request('post', `/v1/policies/${runId}@3/${name}`).expect(200)).body as PolicyDto;
    const pinned = await verb('pin');
    expect(pinned.pinned_at).toMatch(/^20.*Z$/);
    expect(await Promise.all([verb('pin'), verb('pin')])).toEqual([pinned, pinned]);
    expect(await get(`${runId}@3`)).toEqual(pinned);
    expect(await get(`${runId}@5`)).toMatchObject({ pinned_at: null });
    expect(await verb('unpin')).toEqual({ ...pinned, pinned_at: null });
    expect(await verb('unpin')).toMatchObject({ pinned_at: null });
  });

  it('refuses to pin what was collected, says what can be pinned, and leaves no pin', async () => {
    const { body } = await api.request('post', `/v1/policies/${runId}@4/pin`).expect(409);
    const message: unknown = expect.stringContaining(`GET /v1/policies?run_id=${runId}&has_files=true`);
    expect(body).toMatchObject({ error: { code: 'policy_collected', message } });
    expect(await api.database.dataSource.getRepository(PolicyPin).countBy({ runId })).toBe(0);
  });

  it('looks for the files when a collection that comes after it has to wait', async () => {
    // As await_claimants() of the trainer does it, after it has withdrawn the policy.
    const { dataSource } = api.database;
    const collecting = dataSource.createQueryRunner();
    await collecting.startTransaction();
    await collecting.query('LOCK TABLE policy_pins IN SHARE MODE');
    const pinning = api.request('post', `/v1/policies/${runId}@6/pin`).then(({ status }) => status);
    await untilSomebodyWaits(dataSource);
    await withdraw(6);
    await collecting.commitTransaction();
    await collecting.release();
    expect(await pinning).toBe(409);
  });
});
