import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HeldOutEvaluation, TrainingRun } from '../../infra/database/entities/index.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import { TestApi } from '../testing/test-api.js';
import { EvaluationsController } from './evaluations.controller.js';

describe(EvaluationsController, () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await TestApi.start();
  });
  afterAll(async () => api.stop());

  it('lists the evaluations of a run by step and planner', async () => {
    const run = trainingRunRow();
    await api.database.dataSource.getRepository(TrainingRun).insert(run);
    for (const [step, planner] of [
      [8, 'policy'],
      [0, 'random'],
      [0, 'policy'],
    ] as const) {
      await api.database.dataSource.getRepository(HeldOutEvaluation).insert({
        id: `${run.id}/eval/${step}/${planner}`,
        runId: run.id,
        step,
        planner,
        policyName: `${run.id}@${step}`,
        policySha256: 'ab',
        questions: 4,
        correct: 3,
        failed: 0,
        accuracy: 0.75,
        intervalLow: 0.3,
        intervalHigh: 0.95,
        byFamily: { lookup: { questions: 4, correct: 3, accuracy: 0.75 } },
        meanTurns: 1.5,
        toolMix: { lookup: 1 },
      });
    }
    const path = `/v1/training_runs/${run.id}/evaluations`;
    const first = await api.request('get', `${path}?limit=2`).expect(200);
    const ids = (first.body as { data: { id: string }[] }).data.map(({ id }) => id);
    expect(ids).toEqual([`${run.id}/eval/0/policy`, `${run.id}/eval/0/random`]);
    const rest = await api.request('get', `${path}?after=${encodeURIComponent(ids[1] ?? '')}`).expect(200);
    expect(rest.body).toMatchObject({ has_more: false, data: [{ step: 8, interval: [0.3, 0.95] }] });
  });
});
