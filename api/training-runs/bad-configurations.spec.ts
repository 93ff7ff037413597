import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { IdempotencyKey, TrainingRun } from '../../infra/database/entities/index.js';
import type { ApiErrorBody } from '../common/api-error.js';
import { MAX_BODY_BYTES } from '../common/body.middleware.js';
import { TestApi } from '../testing/test-api.js';

const GOOD = { model: 'tiny-random', steps: 2 };

/** Case, body, what the message must say, parameter. */
const REFUSED: [string, unknown, string[], string][] = [
  [
    'an unknown tool',
    { ...GOOD, flow: { tools: ['calculator', 'calculater'] } },
    ['there is no tool "calculater"', 'Did you mean "calculator"?', 'registered: calculator, '],
    'flow.tools[1]',
  ],
  [
    'an unknown model',
    { ...GOOD, model: 'gpt-2' },
    ['no model "gpt-2"', 'smollm2-135m-instruct, tiny-random'],
    'model',
  ],
  [
    'a dataset that does not exist',
    { ...GOOD, dataset: { name: 'atlantis' } },
    ['no dataset "atlantis"'],
    'dataset.name',
  ],
  ['a group of one', { ...GOOD, training: { group_size: 1 } }, ['at least 2', '(got 1)'], 'training.group_size'],
  [
    'a negative learning rate',
    { ...GOOD, training: { learning_rate: -1e-4 } },
    ['training.learning_rate', '>0'],
    'training.learning_rate',
  ],
  ['a path as a model', { ...GOOD, model: '../weights' }, ['is a path', 'carries no path'], 'model'],
  ['a URL as a dataset', { ...GOOD, dataset: { name: 'https://x.test/d' } }, ['is a URL'], 'dataset.name'],
  ['a path as a tool', { ...GOOD, flow: { tools: ['/bin/sh'] } }, ['is a path'], 'flow.tools[0]'],
  ['no model', { steps: 2 }, ['model: is required'], 'model'],
  ['an unknown key', { ...GOOD, trainig: {} }, ['trainig: unknown key. Did you mean "training"?'], 'trainig'],
  [
    'an unknown key inside',
    { ...GOOD, training: { groupsize: 8 } },
    ['training.groupsize: unknown key. Did you mean "training.group_size"?'],
    'training.groupsize',
  ],
  [
    'a key at the wrong level',
    { ...GOOD, learning_rate: 1 },
    ['learning_rate: unknown key. Did you mean "training.learning_rate"?'],
    'learning_rate',
  ],
  ['a key like nothing', { ...GOOD, zzzzzzzz: 1 }, ['Known here: name, model, seed, steps'], 'zzzzzzzz'],
  [
    'an option that its choice does not have',
    { ...GOOD, training: { policy_loss: { kind: 'cispo', dual: 3 } } },
    ['training.policy_loss.dual: has no meaning with kind: cispo. Known here: kind, high'],
    'training.policy_loss.dual',
  ],
  [
    'rollouts for supervised fine-tuning',
    { ...GOOD, training: { objective: 'sft', trajectories: { run: 'a' }, group_size: 4 } },
    ['training.group_size: has no meaning with objective: sft'],
    'training.group_size',
  ],
  [
    'recorded trajectories for Flow-GRPO',
    { ...GOOD, training: { trajectories: { run: 'a' } } },
    ['training.trajectories: has no meaning with the default objective'],
    'training.trajectories',
  ],
  [
    'more mini-batches than groups',
    { ...GOOD, training: { mini_batches: 9 } },
    ['training.mini_batches: is more than queries_per_step (8)'],
    'training.mini_batches',
  ],
  [
    'a KL reference without a KL term',
    { ...GOOD, training: { kl: { coefficient: 0, reference: 'run-1@2' } } },
    ['training.kl.coefficient: is 0, so a reference or an unbiased gradient has no effect'],
    'training.kl.coefficient',
  ],
  [
    'a base in 4 bits without importance sampling',
    { ...GOOD, training: { weights: { kind: 'lora', base: 'nf4' } } },
    ['training.importance_sampling: must not be none'],
    'training.importance_sampling',
  ],
  [
    'a path as the policy to start from',
    { ...GOOD, from: { policy: '../../etc/passwd@1' } },
    ['from.policy'],
    'from.policy',
  ],
  [
    'a policy with zeros before its step',
    { ...GOOD, from: { policy: 'run-1@007' } },
    ['from.policy', '<training run>@<step>'],
    'from.policy',
  ],
  [
    'a difference that no fork may have',
    { ...GOOD, from: { policy: 'run-1@7', allow: ['prompts', 'weights'] } },
    ['from.allow[1]', '"base-model"|"tokenizer"|"prompts"|"dataset"'],
    'from.allow[1]',
  ],
  ['a list', [], ['the configuration: expected object'], ''],
];

describe('a configuration that cannot be accepted', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await TestApi.start();
  });
  afterAll(async () => {
    const { dataSource } = api.database;
    const left = [
      await dataSource.getRepository(TrainingRun).count(),
      await dataSource.getRepository(IdempotencyKey).count(),
    ];
    await api.stop();
    expect({ runsAndKeys: left, started: api.workflows.calls }).toEqual({ runsAndKeys: [0, 0], started: [] });
  });

  const submit = (type: string, body: string) =>
    api.request('post', '/v1/training_runs').set('Idempotency-Key', 'key').type(type).send(body);
  const errorOf = (response: { body: unknown }): ApiErrorBody['error'] => (response.body as ApiErrorBody).error;

  it.each(REFUSED)('is refused and leaves nothing behind: %s', async (_, config, messages, param) => {
    const error = errorOf(await submit('application/json', JSON.stringify(config)).expect(400));
    expect(error).toMatchObject({ type: 'invalid_request_error', code: 'invalid_run_configuration', param });
    for (const message of messages) expect(error.message).toContain(message);
  });

  it('is told all that is wrong at once', async () => {
    const config = { model: 'tiny-random', steps: 0, training: { group_size: 1, lerning_rate: 1 } };
    const error = errorOf(await submit('application/json', JSON.stringify(config)).expect(400));
    expect(error.issues?.map(({ param }) => param)).toEqual(['steps', 'training.group_size', 'training.lerning_rate']);
  });

  it.each([
    ['does not parse', 'model: [tiny-random', /line 1/],
    ['names a key twice', 'model: a\nmodel: b', /unique/],
    ['holds two documents', 'model: a\n---\nmodel: b', /document/],
    ['carries a tag', 'model: !!js/function "function () {}"', /tag/],
    ['expands without bound', bomb(), /alias/i],
    ['is nested without end', '['.repeat(30_000), /./],
  ])('is refused when the YAML %s', async (_, yaml, message) => {
    const error = errorOf(await submit('application/yaml', yaml).expect(400));
    expect(error).toMatchObject({ code: 'invalid_yaml' });
    expect(error.message).toMatch(message);
    expect(error.message.length).toBeLessThan(2_000);
  });

  it('does not merge keys: a "<<" is an unknown key', async () => {
    const yaml = 'a: &a { steps: 2 }\n<<: *a\nmodel: tiny-random';
    const error = errorOf(await submit('application/yaml', yaml).expect(400));
    expect(error.issues?.map(({ param }) => param)).toEqual(['steps', 'a', '<<']);
  });

  it('is refused when the JSON does not parse or the body is missing', async () => {
    expect(errorOf(await submit('application/json', '{"model":').expect(400))).toMatchObject({ code: 'invalid_json' });
    const empty = await api.request('post', '/v1/training_runs').expect(400);
    expect(errorOf(empty)).toMatchObject({ code: 'body_missing' });
  });

  it('is refused when the body is too large or of another type', async () => {
    const large = JSON.stringify({ ...GOOD, name: 'x'.repeat(MAX_BODY_BYTES) });
    const error = errorOf(await submit('application/json', large).expect(413));
    expect(error).toMatchObject({ code: 'body_too_large' });
    expect(error.message).toContain('65536');
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      expect(errorOf(await submit(type, 'model=x').expect(415))).toMatchObject({ code: 'unsupported_content_type' });
    }
  });
});

/** Nine anchors, each nine times the one before: 9^9 values from half a kilobyte. */
function bomb(): string {
  const levels = Array.from({ length: 9 }, (_, level) => {
    const item = level === 0 ? '"x"' : `*a${level - 1}`;
    return `a${level}: &a${level} [${Array.from({ length: 9 }, () => item).join(', ')}]`;
  });
  return levels.join('\n');
}
