import { describe, expect, it } from '@jest/globals';
import { datasetsSection } from '../operator/datasets.js';
import { checkEvaluationConfig } from './check-evaluation-config.js';
import { checkRunConfig } from './check-run-config.js';

const own = { path: '/d', columns: { question: 'q', answer: 'a' }, answers: 'text' };
const registered = {
  models: { 'tiny-random': { source: 'tiny-random', context: 2048 } },
  tools: ['calculator', 'lookup', 'generator'],
  language_models: {},
  datasets: datasetsSection.parse({
    atlas: {},
    drawn: own,
    split: { ...own, held_out: 5 },
    amc23: { benchmark: 'amc23', path: '/d' },
    'drawn-only': { mix: { drawn: 1 } },
    both: { mix: { drawn: 1, split: 1 } },
  }),
};

/** How a benchmark of an evaluation, and a run's `evaluation.dataset`, are taken. */
const submitted = [
  (name: string) => checkEvaluationConfig({ model: 'tiny-random', benchmarks: [{ name }] }, registered),
  (name: string) => checkRunConfig({ model: 'tiny-random', steps: 1, evaluation: { dataset: { name } } }, registered),
];

const train = (dataset: string, evaluation?: string) =>
  checkRunConfig(
    {
      model: 'tiny-random',
      steps: 1,
      dataset: { name: dataset },
      evaluation: { questions: 1, ...(evaluation !== undefined && { dataset: { name: evaluation } }) },
    },
    registered,
  );

describe('what a run is trained and evaluated on', () => {
  it.each(['drawn', 'drawn-only'])(
    'is not %s, which holds no questions out, and the message says what to do',
    (name) => {
      expect(train(name)).toEqual({
        issues: [
          {
            param: 'dataset.name',
            message:
              `dataset.name: "${name}" has no held-out questions to evaluate on. ` +
              'Upload or register it with held_out, or name another dataset in evaluation.dataset.',
          },
        ],
        more: 0,
      });
      expect(train(name, name)).toMatchObject({ issues: [{ param: 'evaluation.dataset.name' }] });
    },
  );

  it.each(['split', 'both', 'atlas'])('may be %s, and any dataset if another one is evaluated on', (name) => {
    expect(train(name)).toHaveProperty('config');
    expect(train('drawn', name)).toHaveProperty('config');
  });
});

describe('what policies are evaluated on', () => {
  it.each(['drawn', 'drawn-only'])('is not %s, which holds no questions out', (name) => {
    for (const submit of submitted) {
      const message = expect.stringContaining(`"${name}" has no held-out questions`);
      expect(submit(name)).toMatchObject({ issues: [{ message }] });
    }
  });

  it.each(['split', 'both', 'amc23'])('may be %s', (name) => {
    for (const submit of submitted) expect(submit(name)).toHaveProperty('config');
  });
});
