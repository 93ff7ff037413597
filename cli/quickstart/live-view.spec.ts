import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import ora from 'ora';
import { TrainingRun } from '../../infra/database/entities/index.js';
import { appendEvent } from '../../infra/database/run-events.js';
import { writeRunStatus } from '../../infra/database/run-status.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import { TestApi } from '../../api/testing/test-api.js';
import { ApiClient } from '../client/api-client.js';
import { LiveView } from './live-view.js';

/** What is measured in a step that took so long. */
const times = (rollout_seconds: number, seconds: number) => ({
  ...{ reward_mean: 0.5, loss: 0.25, entropy: 1, tokens_sampled: 10 },
  ...{ rollout_seconds, seconds },
});

const silentSpinner = () => ora({ isEnabled: false, isSilent: true });

describe(LiveView, () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await TestApi.start();
  });
  afterAll(async () => api.stop());

  /** A run of two steps that these of them have happened to. */
  const createRun = async (steps: Record<string, unknown>[]): Promise<string> => {
    const { dataSource } = api.database;
    const { id: runId } = trainingRunRow();
    await dataSource.getRepository(TrainingRun).insert(trainingRunRow({ id: runId, status: 'running' }));
    for (const [index, metrics] of steps.entries()) {
      const step = index + 1;
      const data = { step, metrics };
      await dataSource.transaction((manager) => appendEvent(manager, runId, `step/${step}`, 'step.completed', data));
    }
    return runId;
  };

  /** What is said about a run that these steps and then these statuses happen to. */
  const watch = async (
    steps: Record<string, unknown>[],
    statuses: Pick<Parameters<typeof writeRunStatus>[1], 'status' | 'failure'>[],
  ): Promise<{ runId: string; said: string[] }> => {
    const { dataSource } = api.database;
    const runId = await createRun(steps);
    for (const [index, status] of statuses.entries()) {
      await writeRunStatus(dataSource, { runId, version: index + 1, step: 1, steps: 2, ...status });
    }
    const client = new ApiClient(api);
    const said: string[] = [];
    const screen = { say: (line: string) => said.push(line), spinner: silentSpinner() };
    const view = new LiveView(client, await client.getRun(runId), screen);
    await view.follow(new AbortController().signal);
    return { runId, said };
  };

  /** The line below the steps, once it is as awaited. */
  const barOf = async (runId: string, awaited: (text: string) => boolean): Promise<string> => {
    const client = new ApiClient(api);
    const spinner = silentSpinner();
    const stop = new AbortController();
    const view = new LiveView(client, await client.getRun(runId), { say: () => undefined, spinner }).follow(
      stop.signal,
    );
    while (!awaited(spinner.text)) await sleep(50);
    stop.abort();
    await view;
    return spinner.text;
  };

  it('puts a step on a line, with rollouts and without', async () => {
    const measured = times(2, 3);
    const { said } = await watch([{ ...measured, tool_mix: { lookup: 1 } }, measured], [{ status: 'completed' }]);
    expect(said).toEqual([
      'step 1/2  reward 0.500  entropy 1.000  5 tokens/s  2 s rollouts + 3 s gradient  lookup 100 %',
      'step 2/2  loss 0.25  3 s gradient',
      'completed',
    ]);
  });

  it('names the group and the commands to choose from where a loss was not finite', async () => {
    const failure = { type: 'NonFiniteLoss', message: 'the loss is not finite in groups [3]', groups: [3] };
    const { runId, said } = await watch(
      [],
      [{ status: 'paused', failure }, { status: 'cancelling' }, { status: 'cancelled' }],
    );
    expect(said).toEqual([
      [
        `paused: NonFiniteLoss: ${failure.message}`,
        'The step waits for a decision; choose one of:',
        `  npx agentflow decide ${runId} skip-group          leave group 3 out of the step`,
        `  npx agentflow decide ${runId} skip-step           make no update in this step`,
        `  npx agentflow decide ${runId} learning-rate RATE  take the step again with another learning rate`,
      ].join('\n'),
      'cancelling',
      'cancelled',
    ]);
  });

  it('tells the time left by what the steps took, also where their events come all at once', async () => {
    const runId = await createRun([{ ...times(200, 40), tool_mix: { lookup: 1 } }]);
    const bar = await barOf(runId, (text) => text.includes('1/2'));
    expect(bar).toContain('about 4 min left');
  });

  it('tells no time left when the steps are done and the last evaluation is not', async () => {
    const runId = await createRun([times(1, 1), times(1, 1)]);
    const bar = await barOf(runId, (text) => text.includes('2/2'));
    expect(bar).not.toContain('left');
  });
});
