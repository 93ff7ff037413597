import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ServiceError, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { TrainingRun } from '../../infra/database/entities/index.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import { TestApi } from '../testing/test-api.js';
import { RunVerbsController } from './run-verbs.controller.js';

describe(RunVerbsController, () => {
  let api: TestApi;
  let id: string;

  beforeAll(async () => {
    api = await TestApi.start();
  });
  afterAll(async () => api.stop());
  beforeEach(async () => {
    id = await insertRun('running');
  });
  afterEach(() => {
    api.workflows.failure = undefined;
    api.workflows.calls.length = 0;
  });

  const insertRun = async (status: TrainingRun['status']): Promise<string> => {
    const row = trainingRunRow({ status });
    await api.database.dataSource.getRepository(TrainingRun).insert(row);
    return row.id;
  };
  const post = (verb: string, run = id) => api.request('post', `/v1/training_runs/${run}/${verb}`);

  it('asks the workflow and shows the status it answers', async () => {
    const paused = await post('pause').expect(200);
    expect(paused.body).toMatchObject({ id, object: 'training_run', status: 'pausing' });
    expect((await post('pause').send({ now: true }).expect(200)).body).toMatchObject({ status: 'paused' });
    await post('resume').expect(200);
    await post('stop').expect(200);
    expect((await post('cancel').expect(200)).body).toMatchObject({ status: 'running' });
    await post('learning_rate').send({ learning_rate: 1e-5 }).expect(200);
    await post('extend').send({ steps: 9 }).expect(200);
    const decided = await post('decide')
      .send({ kind: 'skip-group', groups: [3] })
      .expect(200);
    expect(decided.body).toMatchObject({ id, status: 'running' });
    await post('decide').send({ kind: 'skip-group' }).expect(200);
    await post('decide').send({ kind: 'skip-step' }).expect(200);
    await post('decide').send({ kind: 'learning-rate', learning_rate: 1e-6 }).expect(200);
    expect(api.workflows.calls).toEqual([
      ['pause', id, { now: false }],
      ['pause', id, { now: true }],
      ['resume', id, { allow: [] }],
      ['stopAfterStep', id],
      ['cancel', id],
      ['setLearningRate', id, 1e-5],
      ['extend', id, 9],
      ['decide', id, { kind: 'skip-group', groups: [3] }],
      ['decide', id, { kind: 'skip-group' }],
      ['decide', id, { kind: 'skip-step' }],
      ['decide', id, { kind: 'learning-rate', learningRate: 1e-6 }],
    ]);
  });

  it.each(['completed', 'cancelled', 'failed'] as const)('answers 409 on a run that is %s', async (status) => {
    const finished = await insertRun(status);
    for (const verb of ['pause', 'resume', 'stop', 'cancel', 'decide']) {
      const { body } = await post(verb, finished)
        .send(verb === 'decide' ? { kind: 'skip-step' } : {})
        .expect(409);
      expect(body).toMatchObject({ error: { code: 'run_finished', type: 'conflict_error' } });
      expect(JSON.stringify(body)).toContain(`is ${status}`);
    }
    expect(api.workflows.calls).toEqual([]);
  });

  it('starts the workflow of a run that is still queued first', async () => {
    const queued = await insertRun('queued');
    await post('pause', queued).expect(200);
    expect(api.workflows.calls).toEqual([
      ['start', queued],
      ['pause', queued, { now: false }],
    ]);
  });

  it('starts no workflow to cancel a run that is still queued', async () => {
    const [open, none] = [await insertRun('queued'), await insertRun('queued')];
    await post('cancel', open).expect(200);
    expect(api.workflows.calls).toEqual([['cancel', open]]);
    api.workflows.goneWorkflow = { reason: 'Temporal does not know it', cancelled: false };
    const { body } = await post('cancel', none).expect(200);
    api.workflows.goneWorkflow = undefined;
    expect(body).toMatchObject({ status: 'cancelled', failure: null });
    expect(api.workflows.calls).toEqual([['cancel', open]]);
  });

  it('answers 409 when the workflow ended meanwhile or refuses', async () => {
    api.workflows.failure = new WorkflowNotFoundError('workflow execution already completed', id, undefined);
    expect((await post('pause').expect(409)).body).toMatchObject({ error: { code: 'run_finished' } });
    const refusal = ApplicationFailure.nonRetryable('A cancelled run cannot be resumed.');
    api.workflows.failure = new WorkflowUpdateFailedError('Update failed', refusal);
    expect((await post('resume').expect(409)).body).toMatchObject({
      error: { code: 'refused_by_run', message: 'A cancelled run cannot be resumed.' },
    });
  });

  it('shows the groups that a decision may leave out', async () => {
    const failure = { type: 'NonFiniteLoss', message: 'the loss is not finite', groups: [1, 3] };
    await api.database.dataSource.getRepository(TrainingRun).update({ id }, { status: 'paused', failure });
    expect((await api.request('get', `/v1/training_runs/${id}`).expect(200)).body).toMatchObject({ failure });
  });

  it('answers 503 when Temporal does not answer', async () => {
    api.workflows.failure = new ServiceError('unavailable', { cause: grpcError(14) });
    expect((await post('pause').expect(503)).body).toMatchObject({ error: { code: 'temporal_unavailable' } });
  });

  it('answers 404 on an unknown run and 400 on a bad body', async () => {
    await post('pause', 'run-none').expect(404);
    await post('decide', 'run-none').send({ kind: 'skip-step' }).expect(404);
    for (const [verb, body] of [
      ['pause', { soon: true }],
      ['learning_rate', { learning_rate: -1 }],
      ['learning_rate', undefined],
      ['extend', { steps: 'many' }],
      ['decide', undefined],
      ['decide', { kind: 'skip-run' }],
      ['decide', { kind: 'skip-group', groups: [] }],
      ['decide', { kind: 'skip-group', groups: [-1] }],
      ['decide', { kind: 'skip-step', groups: [1] }],
      ['decide', { kind: 'learning-rate' }],
      ['decide', { kind: 'learning-rate', learning_rate: 0 }],
    ] as const) {
      expect((await post(verb).send(body).expect(400)).body).toMatchObject({ error: { code: 'invalid_request' } });
    }
  });
});

function grpcError(code: number): Error {
  return Object.assign(new Error('14 UNAVAILABLE'), { code, details: 'unavailable', metadata: {} });
}
