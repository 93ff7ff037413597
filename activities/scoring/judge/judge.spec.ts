import { describe, expect, it } from '@jest/globals';
import { DefaultLogger } from '@temporalio/worker';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Score } from '../../../workflows/contracts/agent-activities.js';
import type { JudgeConfig } from '../../../workflows/contracts/flow-config.js';
import type { LanguageModel, LanguageModelRequest } from '../../engines/llm/language-model.js';
import { LanguageModels } from '../../engines/llm/language-models.js';
import type { GroundTruth } from '../../datasets/ground-truth.js';
import { createScoringActivities } from '../scoring.activities.js';
import { hideTruth } from './hide-truth.js';
import { LlmJudge, readVerdict, UnreadableVerdict } from './llm-judge.js';

const config: JudgeConfig = { model: 'judge', check: 0, max_tokens: 100, timeout_s: 5 };
const flow = { flowId: 'f', runId: 'r', runSeed: 1, purpose: 'evaluation' as const, step: 0, group: 0, rollout: 0 };
const query = { id: 'q', dataset: { name: 'd', seed: 7 }, family: 'f', question: 'Which country?' };
const hidden: GroundTruth = { truth: { kind: 'text', answers: ['United States', 'USA'] }, heldOut: true };

function modelSaying(text: string, requests: LanguageModelRequest[] = [], repliesInJson = true): LanguageModel {
  return {
    name: 'judge',
    providerModel: 'm',
    identity: {},
    repliesInJson,
    takesImages: false,
    generate: async (request) => {
      requests.push(request);
      return { text, finishReason: 'stop', seconds: 0, waitedSeconds: 0, warnings: [] };
    },
  };
}

function scored(answer: string, model: LanguageModel, truth = hidden, judge = config): Promise<Score> {
  const { scoreAnswer } = createScoringActivities({
    truthOf: async () => truth,
    judge: new LlmJudge(new LanguageModels([model])),
  });
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  return environment.run(() => scoreAnswer({ flow, query, answer, judge }));
}

describe('a judge', () => {
  it('decides where the rules cannot, and its verdict and reason are kept without the truth', async () => {
    const requests: LanguageModelRequest[] = [];
    const score = await scored('America', modelSaying('{"reason": "It is the USA.", "equivalent": true}', requests));
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
    const requests: LanguageModelRequest[] = [];
    const against = modelSaying('{"reason": "no", "equivalent": false}', requests);
    expect(await scored('usa', against)).toMatchObject({ reward: 1, grading: { rules: 'right' } });
    expect(requests).toEqual([]);
    const checked = await scored('usa', against, hidden, { ...config, check: 1 });
    expect(checked).toMatchObject({ reward: 1, grading: { rules: 'right', judge: { equivalent: false } } });
    expect((await scored('', against, hidden, { ...config, check: 1 })).grading).not.toHaveProperty('judge');
  });

  it('I2: a reply without a verdict is retried, and is no wrong answer', async () => {
    await expect(scored('America', modelSaying('I think so.'))).rejects.toThrow(UnreadableVerdict);
  });

  it('is needed only where a configuration names it', async () => {
    const { scoreAnswer } = createScoringActivities({ truthOf: async () => hidden });
    const without = await scoreAnswer({ flow, query, answer: 'America' });
    expect(without).toMatchObject({ reward: 0, reason: expect.stringContaining('no rule can tell') });
    await expect(scoreAnswer({ flow, query, answer: 'America', judge: config })).rejects.toThrow(
      expect.objectContaining({ type: 'BadConfiguration' }),
    );
  });
});

describe('readVerdict', () => {
  it('takes the last verdict of a reply that says more', () => {
    const reply = 'First {"equivalent": false, "reason": "a"}.\n```json\n{"reason": "b", "equivalent": true}\n```';
    expect(readVerdict(reply)).toEqual({ reason: 'b', equivalent: true });
  });

  it.each(['', 'yes', '{"equivalent": "true", "reason": ""}', '{"equivalent": true', '[]'])('refuses %j', (reply) => {
    expect(() => readVerdict(reply)).toThrow(UnreadableVerdict);
  });
});

describe('hideTruth', () => {
  it('takes texts and letters of right answers out, whatever their case and signs', () => {
    expect(hideTruth('It is usa, not UK.', ['USA'])).toBe('It is [the truth], not UK.');
    expect(hideTruth('B is right: insulin.', ['B. Insulin'])).toBe('[the truth] is right: [the truth].');
    expect(hideTruth('x^2+1 (exactly)', ['x^2+1'])).toBe('[the truth] (exactly)');
    expect(hideTruth('a'.repeat(5000), [])).toHaveLength(1000);
  });
});
