import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { parse, stringify } from 'yaml';
import { ProviderServer } from '../activities/engines/llm/testing/provider-server.js';
import { ApiClient } from '../cli/client/api-client.js';
import type { QuestionInput } from '../cli/client/api-types.js';
import { PROJECT_ROOT } from '../infra/config/project-root.js';
import { readLocalApi } from '../infra/database/api-keys.js';
import { createDataSource } from '../infra/database/data-source.js';
import { Spending, Turn } from '../infra/database/entities/index.js';
import { LocalStack } from '../infra/local/local-stack.js';
import type { StackEvent } from '../infra/local/stack-events.js';
import { stackPaths } from '../infra/local/stack-options.js';
import { until } from './support/supervised-stack.js';

jest.setTimeout(600_000);

/** One call answers the question: that of the planner's model. Every reply counts 12 tokens in and 3 out. */
const QUESTION = {
  question: 'What is the capital of France?',
  model: 'tiny-random',
  flow: { planner: { engine: 'llm', model: 'large', timeout_s: 60 }, outputs: ['base'] },
} satisfies QuestionInput;

describe('an agent worker that is killed with a reply in its hands', () => {
  const server = new ProviderServer();
  const directory = mkdtempSync(join(tmpdir(), 'agentflow-purchase-'));
  const events: StackEvent[] = [];
  let stack: LocalStack;
  let client: ApiClient;
  /** Without bounds: it holds a lock as long as a test wants. */
  let dataSource: DataSource;

  beforeAll(async () => {
    const operator = join(directory, 'operator.yaml');
    const sections = parse(readFileSync(join(PROJECT_ROOT, 'test/support/operator.yaml'), 'utf8')) as object;
    const base_url = await server.start();
    writeFileSync(
      operator,
      stringify({
        ...sections,
        providers: { there: { kind: 'openai-compatible', base_url } },
        language_models: { large: { provider: 'there', model: 'model-1', context: 8192, output: 'text' } },
      }),
    );
    process.env['AGENTFLOW_OPERATOR_FILE'] = operator;
    const dataDirectory = join(directory, 'data');
    stack = await LocalStack.start(
      {
        dataDirectory,
        ports: { postgres: 0, temporal: 0, temporalUi: 0, policyServer: 0, api: 0 },
        services: ['agent-worker', 'api'],
        existingTemporal: false,
        databaseUrl: undefined,
      },
      { onEvent: (event) => events.push(event) },
    );
    client = new ApiClient((await readLocalApi(stackPaths(dataDirectory).api))!);
    dataSource = await createDataSource(stack.urls.database, 'migrations', 2).initialize();
  });
  afterAll(async () => {
    await dataSource?.destroy();
    await stack?.stop();
    await server.stop();
    delete process.env['AGENTFLOW_OPERATOR_FILE'];
    rmSync(directory, { recursive: true, force: true });
  });
  beforeEach(() => void (server.requests.length = 0));

  /** Kills the worker as often as it is about to write a row of the table, and lets the last one write. */
  const killAtRows = async (table: string, kills: number): Promise<void> => {
    const waiting = `SELECT pid FROM pg_locks WHERE relation = $1::regclass AND NOT granted`;
    const runner = dataSource.createQueryRunner();
    try {
      await runner.startTransaction();
      await runner.query(`LOCK TABLE ${table} IN EXCLUSIVE MODE`);
      for (let killed = 0; killed < kills; killed++) {
        let writers: { pid: number }[] = [];
        const lookForWriters = async () => {
          writers = await dataSource.query<{ pid: number }[]>(waiting, [table]);
          return writers.length > 0;
        };
        await until('a row is written', lookForWriters).catch((error: Error) => {
          throw new Error(`${error.message}. The stack: ${JSON.stringify(events)}`);
        });
        process.kill(stack.pids['agent-worker']!, 'SIGKILL');
        // Its connection is noticed to be gone when the server next writes to it: here and now.
        for (const { pid } of writers) await dataSource.query('SELECT pg_terminate_backend($1)', [pid]);
        // The next writer must be the next life's.
        await until('the dead writer is gone', async () => !(await lookForWriters()));
      }
      await runner.rollbackTransaction();
    } finally {
      await runner.release();
    }
  };

  const ended = async (id: string, status: string) =>
    until(`${id} is ${status}`, async () => (await client.getFlow(id)).status === status);
  const spent = (submissionId: string) => dataSource.getRepository(Spending).findOneByOrFail({ submissionId });

  it.each([1, 2])('I15: buys that reply once more each time, after %d kills, and counts each', async (kills) => {
    const killing = killAtRows('model_replies', kills);
    const { id } = await client.ask({ ...QUESTION, flow: { ...QUESTION.flow, budget: { calls: kills + 1 } } });
    await killing;
    await ended(id, 'completed');
    expect(server.requests).toHaveLength(kills + 1);
    expect(await spent(id)).toMatchObject({ calls: kills + 1, tokens: 15 });
    const [{ calls }] = await dataSource.getRepository(Turn).findBy({ flowId: id });
    expect(calls).toHaveLength(1);
  });

  it('I15: does not buy again what the budget has no call left for', async () => {
    const killing = killAtRows('model_replies', 1);
    const { id } = await client.ask({ ...QUESTION, flow: { ...QUESTION.flow, budget: { calls: 1 } } });
    await killing;
    await ended(id, 'paused');
    expect((await client.getFlow(id)).failure).toMatchObject({ type: 'BudgetSpent' });
    expect(server.requests).toHaveLength(1);
    await client.resumeFlow(id);
    await ended(id, 'completed');
    expect(server.requests).toHaveLength(2);
    expect(await spent(id)).toMatchObject({ calls: 2, tokens: 15 });
  });

  it('I15: buys nothing again once the reply is a row', async () => {
    const killing = killAtRows('turns', 1);
    const { id } = await client.ask({ ...QUESTION, flow: { ...QUESTION.flow, budget: { calls: 1 } } });
    await killing;
    await ended(id, 'completed');
    expect(server.requests).toHaveLength(1);
    expect(await spent(id)).toMatchObject({ calls: 1, tokens: 15 });
  });
});
