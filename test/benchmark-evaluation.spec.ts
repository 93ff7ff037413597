import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ProviderServer } from '../activities/engines/llm/testing/provider-server.js';
import type { BenchmarkEvaluation } from '../cli/client/api-types.js';
import type { ApiClient } from '../cli/client/api-client.js';
import { createDataSource } from '../infra/database/data-source.js';
import { Spending, Turn } from '../infra/database/entities/index.js';
import { SupervisedStack, until } from './support/supervised-stack.js';

jest.setTimeout(600_000);

const QUESTIONS = 8;
/** So long that a kill falls into open calls. */
const REPLY_MS = 150;
/** The first left factor of each benchmark: no two flows ask the same. */
const FACTORS = { first: 100, second: 400 };
const llm = { engine: 'llm', model: 'stub', temperature: 0.7 };

/** Two cells. Language models plan, answer, and judge: no rule can tell that `84` is `84 in all`. */
const EVALUATION = {
  model: 'tiny-random',
  seed: 11,
  benchmarks: [{ name: 'first' }, { name: 'second' }],
  greedy: false,
  concurrency: 4,
  flow: { tools: ['calculator'], planner: llm, generator: llm, scoring: { judge: { model: 'stub' } } },
};

interface Call {
  key: string;
  at: number;
}

describe('I3: an evaluation whose processes are killed goes on and repeats no finished call', () => {
  const directory = mkdtempSync(join(tmpdir(), 'agentflow-benchmarks-'));
  const server = new ProviderServer();
  const asked: Call[] = [];
  let stack: SupervisedStack;
  let client: ApiClient;

  beforeAll(async () => {
    server.behave = ({ body }) => {
      asked.push({ key: keyOf(body.messages as Message[], body.seed as number | undefined), at: Date.now() });
      return { kind: 'reply', text: replyTo(body), after: sleep(REPLY_MS) };
    };
    stack = new SupervisedStack({
      datasets: benchmarks(directory),
      providers: { here: { kind: 'openai-compatible', base_url: await server.start() } },
      language_models: { stub: { provider: 'here', model: 'm', context: 32_768, output: 'json-schema' } },
    });
    await stack.start();
    client = await stack.client();
  });
  afterAll(async () => {
    await stack.remove();
    await server.stop();
    rmSync(directory, { recursive: true });
  });

  it('ends with the bytes of an undisturbed one', async () => {
    const { id } = await submit(client);
    await until('the first cell is under way', () => Promise.resolve(askedIn('first') >= 9), 20);
    process.kill(stack.pid('agent-worker'), 'SIGKILL');
    await until('the second cell is under way', () => Promise.resolve(askedIn('second') >= 5), 20);
    process.kill(stack.pid('api'), 'SIGKILL');
    const disturbed = await ended(client, id);
    expect(disturbed).toMatchObject({ status: 'completed', flows: 2 * QUESTIONS });
    const record = await recordOf(stack, id);
    expect(afterTheirRecord(asked.splice(0), record.calls)).toEqual([]);

    const undisturbed = await ended(client, (await submit(client)).id);
    const other = await recordOf(stack, undisturbed.id);
    expect(afterTheirRecord(asked, other.calls)).toEqual([]);
    expect(new Set(asked.map(({ key }) => key))).toEqual(new Set(record.calls.map(({ key }) => key)));
    expect({ ...record.spent, submissionId: '', calls: 0 }).toEqual({ ...other.spent, submissionId: '', calls: 0 });
    // Requests that were open when the worker was killed count as well.
    expect(record.spent.calls).toBeGreaterThanOrEqual(other.spent.calls);
    expect(saidOf(disturbed)).toBe(saidOf(undisturbed));
    for (const { correct } of undisturbed.report?.cells ?? []) {
      expect(correct).toBeGreaterThan(0);
      expect(correct).toBeLessThan(QUESTIONS);
    }
  });

  const askedIn = (benchmark: keyof typeof FACTORS) => asked.filter(({ key }) => benchmarkOf(key) === benchmark).length;
});

/** A file for each benchmark, all of its questions held out. */
function benchmarks(directory: string): object {
  const own = { columns: { question: 'q', answer: 'a' }, answers: 'text', held_out: QUESTIONS };
  const entries = Object.entries(FACTORS).map(([name, factor]) => {
    const path = join(directory, `${name}.json`);
    const rows = Array.from({ length: QUESTIONS }, (_, n) => ({
      q: `What is ${factor + n} times 7?`,
      a: `${7 * (factor + n)} in all`,
    }));
    writeFileSync(path, JSON.stringify(rows));
    return [name, { ...own, path }];
  });
  return Object.fromEntries(entries) as object;
}

interface Message {
  role: string;
  content: string;
}

/** A reply that depends on the request alone; some plans and some answers are wrong. */
function replyTo(body: Record<string, unknown>): string {
  const messages = body.messages as Message[];
  const [first, last] = [messages[0].content, messages[messages.length - 1].content];
  const chance =
    createHash('sha256')
      .update(keyOf(messages, body.seed as number))
      .digest()[0] / 256;
  if (first.startsWith('You compare'))
    return verdictOn(JSON.parse(last) as { right_answers: string[]; answer: string });
  const [factor] = /\d{3}(?= times 7)/.exec(JSON.stringify(messages)) ?? [];
  if (first.startsWith('You write')) return `<answer>${7 * Number(factor) + (chance < 0.25 ? 1 : 0)}</answer>`;
  if (chance < 0.25) return 'Let me think about it.';
  return JSON.stringify({ justification: '', context: '', sub_goal: `${factor} * 7`, tool: 'Calculator' });
}

function verdictOn({ right_answers: [right], answer }: { right_answers: string[]; answer: string }): string {
  return JSON.stringify({ reason: 'so', equivalent: right === `${answer} in all` });
}

/** Tells calls apart. Of what a judge was asked, the right answers are not recorded. */
function keyOf(messages: Message[], seed?: number): string {
  const texts = messages.map(({ content }) => content.replace(/"right_answers":\[.*?\],/, ''));
  return JSON.stringify([texts, seed ?? null]);
}

function benchmarkOf(key: string): string | undefined {
  const factor = Number(/\d{3}(?= times 7)/.exec(key)?.[0]);
  return Object.entries(FACTORS).find(([, least]) => factor >= least && factor < least + QUESTIONS)?.[0];
}

function submit(client: ApiClient): Promise<BenchmarkEvaluation> {
  return client.createEvaluation({ body: JSON.stringify(EVALUATION), contentType: 'application/json' });
}

/** While the API itself is down there is no answer: it is asked again. */
async function ended(client: ApiClient, id: string): Promise<BenchmarkEvaluation> {
  const isOver = async () => {
    const status = await client.getEvaluation(id).then(
      (evaluation) => evaluation.status,
      () => 'unknown',
    );
    return ['completed', 'failed', 'cancelled'].includes(status);
  };
  await until(`${id} has ended`, isOver, 250);
  return client.getEvaluation(id);
}

/** Every call that a row keeps, with the time of the row, and what was spent on them. */
async function recordOf(stack: SupervisedStack, id: string): Promise<{ calls: Call[]; spent: Spending }> {
  const dataSource = await createDataSource(stack.urls!.database, 'command', 1).initialize();
  try {
    const rows = await dataSource
      .getRepository(Turn)
      .createQueryBuilder('turn')
      .where('flow_id LIKE :flows', { flows: `${id}/%` })
      .getMany();
    const calls = rows.flatMap(({ calls, createdAt }) =>
      (calls ?? []).map(({ prompt, seed, temperature }) => ({
        key: keyOf(prompt, temperature > 0 ? sentSeed(seed) : undefined),
        at: createdAt.getTime(),
      })),
    );
    return { calls, spent: await dataSource.getRepository(Spending).findOneByOrFail({ submissionId: id }) };
  } finally {
    await dataSource.destroy();
  }
}

/** Providers get 31 bits of a seed. */
function sentSeed(seed = '0'): number {
  return Number(BigInt(seed) % (1n << 31n));
}

/** I3: what was asked after its row was committed. */
function afterTheirRecord(asked: readonly Call[], recorded: readonly Call[]): Call[] {
  const committedAt = new Map(recorded.map(({ key, at }) => [key, at]));
  expect(committedAt.size).toBe(recorded.length);
  expect(asked.length).toBeGreaterThanOrEqual(recorded.length);
  return asked.filter(({ key, at }) => at > (committedAt.get(key) ?? Infinity));
}

/** The report as JSON, without how long calls took. */
function saidOf({ report }: BenchmarkEvaluation): string {
  return JSON.stringify(report, (key, value: unknown) => (key === 'seconds' ? null : value));
}
