import { describe, expect, it } from '@jest/globals';
import { datasetsSection } from '../../infra/config/operator/datasets.js';
import { languageModelsSection } from '../../infra/config/operator/language-models.js';
import { checkEvaluationConfig } from '../../infra/config/submitted/check-evaluation-config.js';
import { checkRunConfig } from '../../infra/config/submitted/check-run-config.js';
import type { Checked, ConfigIssue } from '../../infra/config/submitted/config-issues.js';
import { questionSchema } from '../agent-flows/dto/question.dto.js';
import { checkQuestion } from '../agent-flows/check-question.js';

const provided = { provider: 'here', model: 'm', context: 32_768, output: 'text' };
const registered = {
  models: { 'tiny-random': { source: 'tiny-random', context: 2048 } },
  tools: ['calculator', 'lookup', 'generator', 'web_reader'],
  language_models: languageModelsSection.parse({
    free: { ...provided, price: { input: 0, output: 0 } },
    unpriced: provided,
  }),
  datasets: datasetsSection.parse({ atlas: {} }),
};

const model = 'tiny-random';
const submit: Record<string, (flow: object) => Checked<unknown>> = {
  run: (flow) => checkRunConfig({ model, steps: 1, flow }, registered),
  evaluation: (flow) =>
    checkEvaluationConfig({ model, benchmarks: [{ name: 'atlas', questions: 1 }], flow }, registered),
  question: (flow) => checkQuestion({ question: 'Why?', flow }, registered),
};

function issuesIn(checked: Checked<unknown>): ConfigIssue[] {
  return 'issues' in checked ? checked.issues : [];
}

const issuesOf = (kind: string, flow: object) => issuesIn(submit[kind](flow));

const ASKING = ['query_analysis', 'executor', 'verifier', 'generator', 'tool_engine'];

describe.each(Object.keys(submit))('a flow that cannot work, of a %s', (kind) => {
  it.each(ASKING)('is one with a budget of money and a model without a price as %s', (module) => {
    const flow = (name: string) => ({ budget: { money: 5 }, [module]: { engine: 'llm', model: name } });
    expect(issuesOf(kind, flow('free'))).toEqual([]);
    const [{ param, message }] = issuesOf(kind, flow('unpriced'));
    expect(param).toBe('flow.budget.money');
    expect(message).toContain(`"unpriced" (flow.${module}.model) has no price`);
    expect(message).toContain('language_models.unpriced.price');
  });

  it('may have any model with another budget', () => {
    expect(issuesOf(kind, { budget: { calls: 5 }, verifier: { engine: 'llm', model: 'unpriced' } })).toEqual([]);
  });

  it('is one with a tool of several arguments that the scripted executor is to write', () => {
    const tools = ['calculator', 'web_reader'];
    const [{ param, message }] = issuesOf(kind, { tools });
    expect(param).toBe('flow.tools[1]');
    expect(message).toContain('"web_reader" needs several arguments');
    expect(issuesOf(kind, { tools, executor: { engine: 'llm', model: 'unpriced' } })).toEqual([]);
  });
});

describe('a judge without a price', () => {
  it.each(['run', 'evaluation'])('is refused for a %s with a budget of money', (kind) => {
    const [{ message }] = issuesOf(kind, { budget: { money: 5 }, scoring: { judge: { model: 'unpriced' } } });
    expect(message).toContain('"unpriced" (flow.scoring.judge.model) has no price');
  });
});

describe('what is asked', () => {
  it.each(['\u200b', '\u2060\u00ad', ' \ufeff\u200d ', '\u{e0020}', '\u2800', '\u115f\u3164'])(
    'is not %j, which nobody sees',
    (question) => expect(questionSchema.safeParse({ question }).success).toBe(false),
  );

  it.each(['?', '1', '東', 'न', '👩‍👩‍👧', 'a\u200bb', '\u0301'])('may be %j', (question) =>
    expect(questionSchema.safeParse({ question }).success).toBe(true),
  );
});

describe('a divergence whose gradient is zero on average', () => {
  const train = (kl: object) => issuesIn(checkRunConfig({ model, steps: 1, training: { kl } }, registered));

  it('is refused by name', () => {
    const [{ message }] = train({ estimator: 'k1' });
    expect(message).toMatch(/training\.kl\.estimator: must not be k1 without kl\.unbiased/);
    for (const kl of [{ estimator: 'k1', unbiased: true }, { estimator: 'k2' }, { estimator: 'k1', coefficient: 0 }]) {
      expect(train(kl)).toEqual([]);
    }
  });
});
