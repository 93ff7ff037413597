import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rolloutRow } from '../../../infra/database/testing/rollout-row.js';
import { TestApi } from '../../../api/testing/test-api.js';
import { Rollout, TrainingRun } from '../../../infra/database/entities/index.js';
import { trainingRunRow } from '../../../infra/database/testing/training-run-row.js';
import { runCli } from '../../testing/test-cli.js';

describe('agentflow rollouts', () => {
  let api: TestApi;
  let runId: string;

  beforeAll(async () => {
    api = await TestApi.start();
    const run = trainingRunRow();
    runId = run.id;
    await api.database.dataSource.getRepository(TrainingRun).insert(run);
    const advantages = [0.5, null, -1.25];
    for (const [rollout, advantage] of advantages.entries()) {
      const row = rolloutRow(runId, 1, rollout, {
        advantage,
        reward: rollout / 2,
        question: `Is it ${rollout}?\nSay so.`,
      });
      await api.database.dataSource.getRepository(Rollout).insert(row);
    }
  });
  afterAll(async () => api.stop());

  const cli = (...args: string[]) => runCli({ url: api.url, key: api.key }, 'rollouts', ...args);
  const idsOf = (lines: string[]) => lines.slice(1).map((line) => line.split(' ')[0].slice(runId.length + 1));

  it('list shows a line each, in the order of a sort, and how the rest is had', async () => {
    const { lines, notes } = await cli('list', runId, '--sort=-advantage', '--limit', '1');
    expect(lines[0]).toMatch(/^ROLLOUT +OUTCOME +REWARD +ADVANTAGE +TOOLS +QUESTION$/);
    expect(lines[1]).toMatch(/\/1\/0\/0 +answered +0 +0\.5 +calculator +Is it 0\? Say so\.$/);
    const [, after] = /^There are more: (--after=\S+)$/.exec(notes[0])!;
    const rest = await cli('list', runId, '--sort', '-advantage', after);
    expect(idsOf(rest.lines)).toEqual(['1/0/2', '1/0/1']);
    expect(rest.lines[2]).toMatch(/ - +calculator/);
    expect(rest.notes).toEqual([]);
  });

  it.each([
    [['--reward-min', '0.5', '--reward-max', '0.5'], ['1/0/1']],
    [['--question', 'it 2'], ['1/0/2']],
    [
      ['--step', '1', '--group', '0', '--purpose', 'train', '--outcome', 'answered', '--tool', 'calculator'],
      ['1/0/0', '1/0/1', '1/0/2'],
    ],
  ])('list takes filters: %j', async (filters, ids) => {
    expect(idsOf((await cli('list', runId, ...filters)).lines)).toEqual(ids);
    const { data } = JSON.parse((await cli('list', runId, ...filters, '--json')).lines.join('\n')) as {
      data: { id: string }[];
    };
    expect(data.map(({ id }) => id)).toEqual(ids.map((id) => `${runId}/${id}`));
  });

  it('list says that nothing passes, and refuses what cannot be', async () => {
    expect(await cli('list', runId, '--step', '9')).toMatchObject({
      lines: [],
      notes: [`${runId} has no such rollouts.`],
    });
    await expect(cli('list', 'run-none')).rejects.toThrow(/no training run "run-none"/);
    await expect(cli('list', runId, '--sort', 'step')).rejects.toThrow(/-advantage/);
    await expect(cli('list', runId, '--step', '-1')).rejects.toThrow(/whole number of at least 0/);
    await expect(cli('list', runId, '--reward-min', 'high')).rejects.toThrow(/must be a number/);
    await expect(cli('list', runId, '--after=-reward:1:x', '--sort=reward')).rejects.toThrow(/sorted by reward/);
  });

  it('show draws one, or prints all that the API tells of it', async () => {
    const id = `${runId}/1/0/2`;
    const { lines } = await cli('show', id);
    expect(lines[0]).toBe(id);
    expect(lines.slice(-3)).toEqual(['outcome    answered', 'reward     1', 'advantage  -1.25']);
    const json: unknown = JSON.parse((await cli('show', id, '--json')).lines.join('\n'));
    expect(json).toMatchObject({ id, advantage: -1.25, turn_records: [] });
    await expect(cli('show', `${runId}/1/0/9`)).rejects.toThrow(/no finished rollout/);
  });
});
