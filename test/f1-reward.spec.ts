import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ProviderServer } from '../activities/engines/llm/testing/provider-server.js';
import type { Rollout } from '../cli/client/api-types.js';
import type { ApiClient } from '../cli/client/api-client.js';
import { SupervisedStack, until } from './support/supervised-stack.js';

jest.setTimeout(600_000);

const HELD_OUT = 2;
const GROUP = 4;
/** What the generator says of a training question, each rollout of it something else, and what that is worth. */
const WORTH: [answer: string, reward: number][] = [
  ['Ida Holm', 1],
  ['Ida Maria Holm', 4 / 5],
  ['Holm', 2 / 3],
  ['Bergen', 0],
];
const PARTLY_RIGHT = 'Ida Maria Holm';

/** A planner that no plan of is read, so that the answers alone make the difference. */
const RUN = {
  model: 'tiny-random',
  steps: 1,
  dataset: { name: 'pictures' },
  flow: {
    max_turns: 1,
    tools: ['generator'],
    planner: { max_tokens: 4 },
    generator: { engine: 'llm', model: 'stub', prompt: 'compact' },
    scoring: { reward: 'f1' },
  },
  training: { queries_per_step: 2, group_size: GROUP },
  evaluation: { dataset: { name: 'drawings' }, questions: HELD_OUT, yardsticks: false },
};

describe('a run that is rewarded by F1', () => {
  const directory = mkdtempSync(join(tmpdir(), 'agentflow-f1-'));
  const server = new ProviderServer();
  const asked = new Map<string, number>();
  let stack: SupervisedStack;
  let client: ApiClient;
  let id: string;

  beforeAll(async () => {
    server.behave = ({ body }) => ({
      kind: 'reply',
      text: replyTo(/who made (\w+ \d+)/i.exec(JSON.stringify(body))![1]),
    });
    stack = new SupervisedStack({
      datasets: {
        pictures: questionsAbout('picture', 8, directory),
        drawings: { ...questionsAbout('drawing', HELD_OUT, directory), held_out: HELD_OUT },
      },
      providers: { here: { kind: 'openai-compatible', base_url: await server.start() } },
      language_models: { stub: { provider: 'here', model: 'm', context: 32_768, output: 'text' } },
    });
    await stack.start();
    client = await stack.client();
    ({ id } = await client.createRun({ body: JSON.stringify(RUN), contentType: 'application/json' }));
    const ended = async () => !['queued', 'running'].includes((await client.getRun(id)).status);
    await until(`${id} has ended`, ended, 250);
    expect(await client.getRun(id)).toMatchObject({ status: 'completed', step: 1 });
  });
  afterAll(async () => {
    await stack.remove();
    await server.stop();
    rmSync(directory, { recursive: true });
  });

  it('has rewards between 0 and 1, which the trainer normalises within their group', async () => {
    const rollouts = await client.listRollouts({ run_id: id, purpose: 'train' });
    expect(rollouts).toHaveLength(2 * GROUP);
    for (const { answer, reward } of rollouts)
      expect([answer, reward]).toEqual(WORTH.find(([said]) => said === answer));
    expect(new Set(rollouts.map(({ reward }) => reward))).toEqual(new Set(WORTH.map(([, reward]) => reward)));

    const [{ metrics }] = await client.listSteps(id);
    const advantages = [0, 1].flatMap((group) => normalised(rewardsOf(rollouts, group)));
    expect(metrics.groups_without_variance).toBe(0);
    expect(metrics.reward_mean).toBeCloseTo(mean(rollouts.map(({ reward }) => reward!)), 12);
    expect(metrics.advantage_mean).toBeCloseTo(0, 6);
    expect(metrics.advantage_std).toBeCloseTo(deviation(advantages), 5);
    expect(metrics.undecided_share).toBe(0);
  });

  it('counts as accurate what is right, however many words it has in common', async () => {
    const evaluations = await client.listEvaluations(id);
    expect(evaluations.map(({ step, questions, correct }) => ({ step, questions, correct }))).toEqual(
      [0, 1].map((step) => ({ step, questions: HELD_OUT, correct: 0 })),
    );
    const heldOut = await client.listRollouts({ run_id: id, purpose: 'evaluation' });
    expect(heldOut.map(({ answer, reward }) => [answer, reward])).toEqual(heldOut.map(() => [PARTLY_RIGHT, 0]));
  });

  /** Each rollout of a group is told another answer, in the order in which they ask. */
  function replyTo(what: string): string {
    if (what.startsWith('drawing')) return PARTLY_RIGHT;
    const times = asked.get(what) ?? 0;
    asked.set(what, times + 1);
    return WORTH[times % WORTH.length][0];
  }
});

function questionsAbout(what: string, count: number, directory: string): object {
  const path = join(directory, `${what}.json`);
  const rows = Array.from({ length: count }, (_, n) => ({ q: `Who made ${what} ${n}?`, a: 'Ida Holm' }));
  writeFileSync(path, JSON.stringify(rows));
  return { path, columns: { question: 'q', answer: 'a' }, answers: 'text' };
}

function rewardsOf(rollouts: readonly Rollout[], group: number): number[] {
  return rollouts.filter((rollout) => rollout.group === group).map(({ reward }) => reward!);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviation(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1));
}

function normalised(rewards: readonly number[]): number[] {
  return rewards.map((reward) => (reward - mean(rewards)) / (deviation(rewards) + 1e-6));
}
