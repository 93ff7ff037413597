import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DefaultLogger } from '@temporalio/worker';
import { MockActivityEnvironment } from '@temporalio/testing';
import { Spending, Turn } from '../../../infra/database/entities/index.js';
import { createTestDatabase, type TestDatabase } from '../../../infra/database/testing/test-database.js';
import type { Score, ScoreAnswerInput } from '../../../contracts/agent-activities.js';
import type { JudgeConfig } from '../../../contracts/flow-config.js';
import type { FlowRef } from '../../../contracts/flow.js';
import { EmbeddedPolicyClient } from '../../engines/embedded-policy-client.js';
import type { LanguageModel, LanguageModelRequest } from '../../engines/llm/language-model.js';
import { LanguageModels } from '../../engines/llm/language-models.js';
import type { GroundTruth } from '../../datasets/ground-truth.js';
import { TurnStore } from '../../trajectories/turn-store.js';
import { createScoringActivities } from '../scoring.activities.js';
import { hideTruth } from './hide-truth.js';
import { LlmJudge, readVerdict, UnreadableVerdict } from './llm-judge.js';

const config: JudgeConfig = { model: 'judge', check: 0, max_tokens: 100, timeout_s: 5 };
const query = { id: 'q', dataset: { name: 'd', seed: 7 }, family: 'f', question: 'Which country?' };
const hidden: GroundTruth = { truth: { kind: 'text', answers: ['United States', 'USA'] }, heldOut: true };
const RIGHT = '{"reason": "It is the USA.", "equivalent": true}';

describe('a judge', () => {
  let database: TestDatabase;
  let flow: FlowRef;
  /** What the model replies to each request, in order; an error where the provider is down. */
  let replies: (string | Error)[];
  let requests: LanguageModelRequest[];

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());
  beforeEach(() => {
    const id = `run-${randomUUID()}`;
    flow = { flowId: `${id}/0/0/0`, runId: id, runSeed: 1, purpose: 'evaluation', step: 0, group: 0, rollout: 0 };
    replies = [];
    requests = [];
  });

  const model: LanguageModel = {
    name: 'judge',
    providerModel: 'm',
    identity: {},
    repliesInJson: true,
    takesImages: false,
    billed: (_, reply) => reply,
    generate: async (request) => {
      requests.push(request);
      const reply = replies.shift();
      if (typeof reply !== 'string') throw reply ?? new Error('asked once too often');
      const usage = { inputTokens: 12, outputTokens: 3, cost: 0.5 };
      return { text: reply, finishReason: 'stop', seconds: 0, warnings: [], ...usage };
    },
  };

  function scored(answer: string, changes: Partial<ScoreAnswerInput> = {}, truth = hidden): Promise<Score> {
    const { dataSource } = database;
    const models = {
      dataSource,
      policyClient: new EmbeddedPolicyClient('http://127.0.0.1:1'),
      languageModels: new LanguageModels([model]),
    };
    const { scoreAnswer } = createScoringActivities({
      truthOf: async () => truth,
      judge: new LlmJudge(new TurnStore(dataSource), models),
    });
    const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    return environment.run(() => scoreAnswer({ flow, query, answer, judge: config, ...changes }));
  }

  const rows = () =>
    database.dataSource
      .getRepository(Turn)
      .find({ where: { flowId: flow.flowId, module: 'judge' }, order: { turn: 'ASC' } });
  const spending = () => database.dataSource.getRepository(Spending).findOneBy({ submissionId: flow.runId });

  it('decides where the rules cannot, and its verdict and reason are kept without the truth', async () => {
    replies = [RIGHT];
    const score = await scored('America');
    expect(score).toEqual({
      reward: 1,
      reason: 'America is right',
      grading: {
        rules: 'undecided',
        rule: 'text',
        f1: 0,
        judge: { model: 'judge', equivalent: true, reason: 'It is the [the truth].' },
      },
    });
    expect(JSON.parse(requests[0].messages[1].content)).toEqual({
      question: 'Which country?',
      right_answers: ['United States', 'USA'],
      answer: 'America',
    });
    expect(requests[0]).toMatchObject({ temperature: 0, form: { strict: true } });
  });

  it('is not asked where the rules decide, and never overrules them where it is asked to be compared', async () => {
    replies = ['{"reason": "no", "equivalent": false}'];
    expect(await scored('usa')).toMatchObject({ reward: 1, grading: { rules: 'right' } });
    expect(requests).toEqual([]);
    const judge = { ...config, check: 1 };
    const checked = await scored('usa', { judge });
    expect(checked).toMatchObject({ reward: 1, grading: { rules: 'right', judge: { equivalent: false } } });
    expect((await scored('', { judge })).grading).not.toHaveProperty('judge');
  });

  it('is not asked where a configuration says what else becomes of an answer that the rules cannot decide', async () => {
    const wrong = await scored('America', { undecided: 'wrong' });
    expect(wrong).toMatchObject({ reward: 0, reason: expect.stringContaining('no judge was asked') });
    const { reward, ...excluded } = await scored('America', { undecided: 'exclude' });
    expect(reward).toBeUndefined();
    expect(excluded).toMatchObject({
      reason: 'America is left out: no rule can tell',
      grading: { rules: 'undecided' },
    });
    expect(requests).toEqual([]);
    replies = [RIGHT];
    expect(await scored('America', { undecided: 'judge' })).toMatchObject({ reward: 1 });
  });

  it('no answer is wrong, also where undecided ones are left out', async () => {
    const number: GroundTruth = { truth: { kind: 'number', value: '5' }, heldOut: false };
    for (const answer of ['', ' \n']) expect((await scored(answer, { undecided: 'exclude' }, number)).reward).toBe(0);
  });

  it('I3: is not asked again by a scoring that is retried; what it said, and what that took, is a row', async () => {
    replies = [RIGHT];
    const first = await scored('America');
    expect(await scored('America')).toEqual(first);
    expect(requests).toHaveLength(1);
    const [row, ...others] = await rows();
    expect(others).toEqual([]);
    expect(row).toMatchObject({ turn: 0, output: { equivalent: true, reason: 'It is the [the truth].' } });
    const call = { engine: 'llm', model: 'judge', providerModel: 'm', inputTokens: 12, outputTokens: 3, cost: 0.5 };
    expect(row.calls).toMatchObject([{ ...call, template: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
  });

  it('keeps nowhere what the truth of a held-out question is; of a training question it may', async () => {
    replies = ['<think>USA?</think>{"reason": "The USA, or \\"United States\\".", "equivalent": true}'];
    await scored('America');
    expect(JSON.stringify(await rows())).not.toMatch(/USA|United States/);
    flow = { ...flow, flowId: `${flow.flowId}/training` };
    replies = [RIGHT];
    await scored('America', {}, { ...hidden, heldOut: false });
    expect(JSON.stringify(await rows())).toContain('It is the USA.');
  });

  it('I15: judges as it said, also where the words of a held-out truth are those of its form', async () => {
    replies = ['{"reason": "Both say true.", "equivalent": true}'];
    const truth: GroundTruth = { truth: { kind: 'text', answers: ['true'] }, heldOut: true };
    expect(await scored('correct', {}, truth)).toMatchObject({ reward: 1 });
    const [{ output }] = await rows();
    expect(output).toMatchObject({ equivalent: true, reason: 'Both say [the truth].' });
  });

  it('is counted in what the run spends, and not asked when the budget is spent', async () => {
    replies = [RIGHT, RIGHT];
    await scored('America', { budget: { calls: 1 } });
    expect(await spending()).toMatchObject({ calls: 1, tokens: 15, money: 0.5 });
    flow = { ...flow, flowId: `${flow.flowId}/other` };
    const spent = expect.objectContaining({ type: 'BudgetSpent', nonRetryable: true });
    await expect(scored('America', { budget: { calls: 1 } })).rejects.toThrow(spent);
    expect(requests).toHaveLength(1);
    await scored('America', { budget: { calls: 2 } });
    expect(await spending()).toMatchObject({ calls: 2 });
  });

  it('I2: a reply without a verdict is paid, and followed by another question; it is no wrong answer', async () => {
    replies = ['I think so.', RIGHT];
    await expect(scored('America')).rejects.toThrow(UnreadableVerdict);
    expect(await scored('America')).toMatchObject({ reward: 1 });
    expect(await scored('America')).toMatchObject({ reward: 1 });
    expect(requests.map(({ temperature }) => temperature)).toEqual([0, 0.5]);
    expect(new Set(requests.map(({ seed }) => seed)).size).toBe(2);
    expect((await rows()).map(({ turn }) => turn)).toEqual([0, 1]);
    expect(await spending()).toMatchObject({ calls: 2 });
  });

  it('I5: is asked the same again after an outage', async () => {
    replies = [new Error('down'), RIGHT];
    await expect(scored('America')).rejects.toThrow('down');
    await scored('America');
    expect(requests[1]).toEqual(requests[0]);
  });

  it('is needed only where a configuration names it', async () => {
    const { scoreAnswer } = createScoringActivities({ truthOf: async () => hidden });
    const without = await scoreAnswer({ flow, query, answer: 'America' });
    expect(without).toMatchObject({ reward: 0, reason: expect.stringContaining('no judge was asked') });
    await expect(scoreAnswer({ flow, query, answer: 'America', judge: config })).rejects.toThrow(
      expect.objectContaining({ type: 'BadConfiguration' }),
    );
  });
});

describe('readVerdict', () => {
  it.each([
    'First {"equivalent": false, "reason": "a"}.\n```json\n{"reason": "b", "equivalent": true}\n```',
    'So: {"reason": "b", "equivalent": true}',
    '<think>{"reason": "b", "equivalent": false}</think>{"reason": "b", "equivalent": true}',
  ])('takes the last verdict of %j', (reply) => {
    expect(readVerdict(reply)).toEqual({ reason: 'b', equivalent: true });
  });

  it('reads a reason with braces', () => {
    const reason = '\\frac{1}{2} is 0.5';
    expect(readVerdict(`Verdict: ${JSON.stringify({ reason, equivalent: true })}`)).toEqual({
      reason,
      equivalent: true,
    });
  });

  it.each(['', 'yes', '{"equivalent": "true", "reason": ""}', '{"equivalent": true', '[]'])(
    'finds none in %j',
    (reply) => {
      expect(readVerdict(reply)).toBeUndefined();
    },
  );
});

describe('hideTruth', () => {
  it('takes texts and letters of right answers out, whatever their case and signs', () => {
    expect(hideTruth('It is usa, not UK.', ['USA'])).toBe('It is [the truth], not UK.');
    expect(hideTruth('B is right: insulin.', ['B. Insulin'])).toBe('[the truth] is right: [the truth].');
    expect(hideTruth('x^2+1 (exactly)', ['x^2+1'])).toBe('[the truth] (exactly)');
    expect(hideTruth('Jean-Luc, -1 or 3/4', ['Jean-Luc', '-1', '3/4'])).toBe('[the truth], [the truth] or [the truth]');
    const json = '{"reason": "\\\\frac12, \\"so\\" or Ma\\u0142a"}';
    expect(hideTruth(json, ['\\frac12', '"so"', 'Mała'])).toBe('{"reason": "[the truth], [the truth] or [the truth]"}');
  });
});
