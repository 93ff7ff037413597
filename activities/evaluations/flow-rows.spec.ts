import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BenchmarkEvaluation, Rollout, Turn } from '../../infra/database/entities/index.js';
import { createTestDatabase, type TestDatabase } from '../../infra/database/testing/test-database.js';
import { evaluationConfigSchema } from '../../contracts/evaluation-config.js';
import { createBenchmarkEvaluationActivities } from './benchmark-evaluation.activities.js';
import { readFlows } from './flow-rows.js';

const ID = 'eval-a';

describe('the recorded flows of an evaluation', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
    const config = { model: 'tiny-random', benchmarks: [{ name: 'atlas', questions: 2 }] };
    await database.dataSource.getRepository(BenchmarkEvaluation).insert({
      id: ID,
      project: 'default',
      name: 'evaluation',
      status: 'running',
      config: evaluationConfigSchema.parse(config) as object,
    });
    for (const question of [1, 0]) await record(question);
  });
  afterAll(() => database.drop());

  /**
   * One flow: the policy plans with 3 tokens in and 2 out; the verifier makes two calls, one of which tells neither tokens
   * nor cost; a judge is asked about the answer.
   */
  async function record(question: number): Promise<void> {
    const flowId = `${ID}/0/${question}/0`;
    await database.dataSource.getRepository(Rollout).insert({
      flowId,
      submissionId: ID,
      purpose: 'evaluation',
      step: 0,
      groupIndex: question,
      rolloutIndex: 0,
      queryId: `q-${question}`,
      family: 'arithmetic',
      question: 'What is 1 plus 1?',
      outcome: 'answered',
      reward: question,
      turns: 1,
      tools: ['calculator'],
      memory: [],
      grading: { rules: 'right', rule: 'number' },
    });
    const calls = [{ inputTokens: 90, outputTokens: 10, cost: 0.25, seconds: 2 }, { seconds: 1 }];
    const int32 = (tokens: number) => Buffer.alloc(4 * tokens);
    const sample = { promptTokenIds: int32(3), responseTokenIds: int32(2), policyName: 'tiny-random' };
    await database.dataSource.getRepository(Turn).insert([
      { flowId, turn: 1, module: 'planner', output: { seconds: 0.5 }, ...sample },
      { flowId, turn: 0, module: 'judge', output: {}, calls },
      { flowId, turn: 1, module: 'verifier', output: {}, calls },
      { flowId, turn: 1, module: 'executor', output: {} },
    ]);
  }

  it('are read in the order of their coordinates, with what the policy and their language models took', async () => {
    const flows = await readFlows(database.dataSource, ID);
    expect(flows.map(({ queryId, reward }) => [queryId, reward])).toEqual([
      ['q-0', 0],
      ['q-1', 1],
    ]);
    expect(flows[0]).toMatchObject({ cell: 0, tokens: 105, cost: 0.25, seconds: 3.5, grading: { rule: 'number' } });
  });

  it('I4: make the same report again', async () => {
    const { reportEvaluation } = createBenchmarkEvaluationActivities(database.dataSource);
    const read = () => database.dataSource.getRepository(BenchmarkEvaluation).findOneByOrFail({ id: ID });
    await reportEvaluation({ id: ID });
    const { report } = await read();
    expect(report?.cells).toMatchObject([{ asked: 2, correct: 1, usage: { totals: { tokens: 210, cost: 0.5 } } }]);
    await reportEvaluation({ id: ID });
    expect((await read()).report).toEqual(report);
  });

  it('an evaluation that is not there is a failure that no retry mends', async () => {
    const { reportEvaluation } = createBenchmarkEvaluationActivities(database.dataSource);
    await expect(reportEvaluation({ id: 'eval-b' })).rejects.toMatchObject({ type: 'NotFound', nonRetryable: true });
  });
});
