import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Page } from 'playwright-core';
import type { TrainingRun } from '../../cli/client/api-types.js';
import { number } from '../../dashboard/src/common/format.js';
import { createApiKey, readLocalApi } from '../../infra/database/api-keys.js';
import { Rollout, TrainingRun as RunRow, Turn } from '../../infra/database/entities/index.js';
import { rolloutRow } from '../../infra/database/testing/rollout-row.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import { barriersOn } from '../support/browser.js';
import { WatchedStack } from '../support/watched-stack.js';

jest.setTimeout(600_000);

/** For what the stack does, not for what the page does. */
const PATIENCE_MS = 300_000;
const CONFIG = {
  name: 'watched',
  model: 'tiny-random',
  seed: 3,
  dataset: { families: { arithmetic: 1 } },
  training: { queries_per_step: 2, group_size: 2 },
  evaluation: { questions: 2, yardsticks: false },
};
/** What a model might write, or a dataset hold: markup, marks that turn the direction of text, one very long word. */
const HOSTILE = `<script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">\u202Eevil\u202C ${'w'.repeat(100_000)}`;

describe('the dashboard in a browser', () => {
  const watched = new WatchedStack();
  let page: Page;

  beforeAll(() => watched.start());
  afterAll(() => watched.stop());
  beforeEach(async () => {
    await watched.openPage();
    ({ page } = watched);
  });
  afterEach(async () => {
    await watched.closePage();
    expect(watched.complaints).toEqual([]);
  });

  const submit = async (steps: number, name: string): Promise<TrainingRun> =>
    watched.client.createRun({ body: JSON.stringify({ ...CONFIG, name, steps }), contentType: 'application/json' });
  const statusIs = (status: string) =>
    page.getByRole('main').getByText(status, { exact: true }).first().waitFor({ timeout: PATIENCE_MS });
  const eventIs = (type: string) =>
    page.getByRole('cell', { name: type, exact: true }).first().waitFor({ timeout: PATIENCE_MS });

  it('signs in with a key, says what is wrong with one, and comes back to where somebody wanted to go', async () => {
    await page.goto('/runs?name=none');
    await page.getByLabel('API key').fill('af-wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('API key').fill((await readLocalApi(`${watched.stack.data}/api.json`))!.key);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'No run is like that' }).waitFor();
    expect(page.url()).toBe(`${watched.url}/runs?name=none`);
    expect(await page.evaluate('document.cookie')).toBe('');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('API key').waitFor();
    await page.goto('/runs');
    await page.getByLabel('API key').waitFor();
    // A browser notes each answer of 401.
    expect(watched.complaints.splice(0).filter((text) => !text.includes('401'))).toEqual([]);
  });

  it('signs in with a link once, and takes it out of the address', async () => {
    await watched.signIn();
    expect(page.url()).toBe(`${watched.url}/runs`);
    await page.getByRole('heading', { name: 'There is no training run yet' }).waitFor();
  });

  it('watches a run to its end: paused, resumed, its trainer killed, down to a rollout', async () => {
    await watched.signIn();
    const run = await submit(6, 'watched');
    await page.getByRole('link', { name: 'watched' }).click();
    await page.getByRole('heading', { name: 'watched' }).waitFor();
    await eventIs('step.completed');
    await watched.confirm('Pause');
    await statusIs('paused');
    expect((await watched.client.getRun(run.id)).status).toBe('paused');
    await watched.confirm('Resume');
    process.kill(watched.stack.pid('trainer'), 'SIGKILL');
    await eventIs('run.recovered');
    await statusIs('completed');
    expect(await page.getByTestId('step').textContent()).toBe('6');
    for (const title of ['Reward', 'Held-out accuracy', 'Tools']) {
      await page.getByRole('region', { name: title, exact: true }).locator('canvas').first().waitFor();
    }
    await page.getByRole('link', { name: 'Step 6' }).click();
    await page
      .getByRole('link', { name: /^Rollout 0: / })
      .first()
      .click();
    await page.getByRole('heading', { name: /^Rollout 0 of group/ }).waitFor();
    await page.getByText('Turn 1: planner').waitFor();
    const [shown] = await watched.dataSource
      .getRepository(Rollout)
      .findBy({ flowId: decodeURIComponent(page.url().split('/').at(-1)!) });
    await page.getByText(shown.question).first().waitFor();
  });

  it('shows the sampled tokens of a turn: their values by the keyboard, their colour by what is chosen', async () => {
    const [turn] = await watched.dataSource.getRepository(Turn).findBy({ turn: 1, module: 'planner' });
    await watched.signIn();
    await page.goto(`/rollouts/${encodeURIComponent(turn.flowId)}`);
    const { advantage, turn_records } = await watched.client.getRollout(turn.flowId);
    const { response_token_ids: ids, logprobs } = turn_records.find(
      ({ turn: number, module }) => number === 1 && module === 'planner',
    )!;
    const tokens = page.getByRole('region', { name: 'Tokens of turn 1, planner' });
    const options = tokens.getByRole('option');
    await options.first().waitFor();
    expect((await options.allTextContents()).map(Number)).toEqual(ids);
    const says = async (index: number) => {
      const values = `log-prob ${number(logprobs![index])}, advantage ${number(advantage)}`;
      await tokens.getByText(`Token ${number(index + 1)}, id ${ids![index]}: ${values}`, { exact: true }).waitFor();
    };
    await tokens.getByRole('listbox').focus();
    await page.keyboard.press('ArrowRight');
    await says(0);
    await page.keyboard.press('End');
    await says(ids!.length - 1);
    await options.first().hover();
    await says(0);
    const heats = async () => Promise.all((await options.all()).map((token) => token.getAttribute('style')));
    const byLogprob = await heats();
    await tokens.getByText('Advantage', { exact: true }).click();
    const byAdvantage = await heats();
    expect(byAdvantage).not.toEqual(byLogprob);
    expect(new Set(byAdvantage).size).toBe(1);
  });

  it('opens a run by the link that the quickstart prints', async () => {
    const [run] = await watched.dataSource.getRepository(RunRow).findBy({ name: 'watched' });
    const { url } = await watched.client.createSignInLink(`/runs/${run.id}`);
    await page.goto(url);
    await page.getByRole('heading', { name: 'watched', level: 1 }).waitFor();
    expect(page.url()).toBe(`${watched.url}/runs/${run.id}`);
  });

  it('gives a chart as a table of the values that the API has', async () => {
    await watched.signIn();
    await page.getByRole('link', { name: 'watched' }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Reward as CSV' }).click();
    const chunks: Buffer[] = [];
    for await (const chunk of await (await download).createReadStream()) chunks.push(chunk as Buffer);
    const [run] = await watched.dataSource.getRepository(RunRow).findBy({ name: 'watched' });
    const steps = await watched.client.listSteps(run.id);
    const rows = steps.map(({ step, metrics }) => `${step},${metrics['reward_mean'] as number}`);
    expect(Buffer.concat(chunks).toString()).toBe(['step,watched', ...rows, ''].join('\n'));
  });

  it('shows what is hostile as text, within the page, at a phone’s width too', async () => {
    const row = trainingRunRow({ status: 'completed', finishedAt: new Date(), name: '<b>bold</b>' });
    await watched.dataSource.getRepository(RunRow).insert(row);
    await watched.dataSource.getRepository(Rollout).insert(
      rolloutRow(row.id, 1, 0, {
        question: HOSTILE,
        answer: HOSTILE,
        memory: [
          { turn: 1, tool: 'calculator', result: HOSTILE, verdict: 'STOP', critique: HOSTILE },
        ] as Rollout['memory'],
      }),
    );
    await watched.dataSource.getRepository(Turn).insert({
      flowId: `${row.id}/1/0/0`,
      turn: 1,
      module: 'planner',
      output: HOSTILE,
      responseTokenIds: int32(Array.from({ length: 4_000 }, () => 151_643)),
      logprobs: Buffer.from(new Float32Array(4_000).fill(-0.25).buffer),
    });
    await page.setViewportSize({ width: 390, height: 844 });
    await watched.signIn();
    await page.getByRole('link', { name: '<b>bold</b>' }).click();
    await page.goto(`/rollouts/${encodeURIComponent(`${row.id}/1/0/0`)}`);
    await page.getByText('<script>window.hacked').first().waitFor();
    await page.getByRole('listbox').focus();
    await page.keyboard.press('End');
    await page.getByText('Token 4,000, id 151643: log-prob -0.25, advantage –', { exact: true }).waitFor();
    for (const path of [
      '/runs',
      `/runs/${row.id}`,
      `/runs/${row.id}/steps/1`,
      `/runs/${row.id}/steps/1/groups/0`,
      `/rollouts/${encodeURIComponent(`${row.id}/1/0/0`)}`,
    ]) {
      await page.goto(path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.waitForLoadState('networkidle');
      expect(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')).toBeLessThanOrEqual(0);
      expect(await page.evaluate('"hacked" in window')).toBe(false);
    }
  });

  it('shows where the rollouts of a group part that was made to part there', async () => {
    const row = trainingRunRow({ status: 'completed', finishedAt: new Date(), name: 'parting' });
    await watched.dataSource.getRepository(RunRow).insert(row);
    const plans = [
      { text: 'calculator: 🙋 + 1', tokens: [5, 6, 7] },
      { text: 'calculator: 🙌 + 1', tokens: [5, 6, 8] },
      { text: 'calculator: 🙌 + 1', tokens: [5, 6, 8] },
    ];
    for (const [rollout, { text, tokens }] of plans.entries()) {
      const planned = rolloutRow(row.id, 1, rollout, { reward: rollout === 0 ? 1 : 0 });
      await watched.dataSource.getRepository(Rollout).insert(planned);
      const turns = [[4], tokens].map((ids, index) => ({
        flowId: planned.flowId!,
        turn: index + 1,
        module: 'planner',
        output: { text: index === 0 ? 'lookup: one' : text },
        promptTokenIds: int32([1, 2, 3]),
        responseTokenIds: int32(ids),
      }));
      await watched.dataSource.getRepository(Turn).insert(turns);
    }
    await watched.signIn();
    await page.goto(`/runs/${row.id}/steps/1`);
    await page.getByRole('link', { name: 'Group 0, side by side' }).click();
    await page.getByRole('status').getByText('They part in turn 2 at token 3.').waitFor();
    expect(await page.getByText('They part here').count()).toBe(3);
    const first = page.getByRole('region', { name: 'Rollout 0' });
    await first.getByText('lookup: one').waitFor();
    // Whole characters: the two gestures begin with the same half of a pair.
    await first.getByText('calculator: ', { exact: true }).waitFor();
    await first.getByRole('link', { name: 'Rollout 0' }).click();
    await page.getByRole('heading', { name: /^Rollout 0 of group/ }).waitFor();
  });

  it.each(['light', 'dark'] as const)('has no serious barrier on any view, %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    await page.goto('/sign-in');
    await page.getByLabel('API key').waitFor();
    const found: Record<string, string[]> = { '/sign-in': await barriersOn(page) };
    await watched.signIn();
    const [run] = await watched.dataSource.getRepository(RunRow).findBy({ name: 'watched' });
    const [rollout] = await watched.dataSource
      .getRepository(Rollout)
      .findBy({ submissionId: run.id, purpose: 'train' });
    const rolloutPath = `/rollouts/${encodeURIComponent(rollout.flowId)}`;
    for (const path of [
      '/runs',
      '/runs?name=none',
      `/runs/${run.id}`,
      `/runs/${run.id}/steps/1`,
      `/runs/${run.id}/steps/1/groups/0`,
      rolloutPath,
      '/runs/none',
    ]) {
      await page.goto(path);
      await page
        .getByRole(path === '/runs/none' ? 'alert' : 'heading')
        .first()
        .waitFor();
      // A run that has ended is followed no more, and nothing is asked any more.
      await page.waitForLoadState('networkidle');
      found[path] = await barriersOn(page);
    }
    expect(Object.entries(found).filter(([, barriers]) => barriers.length > 0)).toEqual([]);
    expect(watched.complaints.splice(0).filter((text) => !text.includes('404'))).toEqual([]);
  });

  it('shows another project nothing, by the address of a run, a step or a rollout', async () => {
    const [run] = await watched.dataSource.getRepository(RunRow).findBy({ name: 'watched' });
    await watched.signIn(await createApiKey(watched.dataSource, 'theirs'));
    await page.getByRole('heading', { name: 'There is no training run yet' }).waitFor();
    for (const path of [
      `/runs/${run.id}`,
      `/runs/${run.id}/steps/1`,
      `/runs/${run.id}/steps/1/groups/0`,
      `/rollouts/${encodeURIComponent(`${run.id}/1/0/0`)}`,
    ]) {
      await page.goto(path);
      await page.getByRole('alert').getByText('It is not here').waitFor();
      expect(await page.locator('main').textContent()).not.toContain('watched');
    }
    expect(watched.complaints.splice(0).filter((text) => !text.includes('404'))).toEqual([]);
  });

  it('goes on over an outage of the API, and says so meanwhile', async () => {
    await watched.signIn();
    process.kill(watched.stack.pid('api'), 'SIGSTOP');
    process.kill(watched.stack.pid('api'), 'SIGCONT');
    process.kill(watched.stack.pid('api'), 'SIGKILL');
    await page.getByRole('link', { name: 'watched' }).click();
    await page.getByRole('heading', { name: 'watched', level: 1 }).waitFor({ timeout: PATIENCE_MS });
    watched.complaints.splice(0);
  });
});

/** Token ids as the rows of turns have them. */
function int32(ids: number[]): Buffer {
  return Buffer.from(Int32Array.from(ids).buffer);
}
