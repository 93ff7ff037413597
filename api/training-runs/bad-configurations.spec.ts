import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { IdempotencyKey, TrainingRun } from '../../infra/database/entities/index.js';
import type { ApiErrorBody } from '../common/api-error.js';
import { BODY_BOUNDS } from '../common/body.middleware.js';
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
  [
    'a step of more events than a history takes',
    { ...GOOD, training: { queries_per_step: 256, groups: { over_sample: 64 } } },
    ['training.groups.over_sample: is too large for one step', 'The largest that fits is'],
    'training.groups.over_sample',
  ],
  [
    'a tool named twice',
    { ...GOOD, flow: { tools: ['calculator', 'lookup', 'calculator'] } },
    ['"calculator" is named twice: flow.tools[0] names it too'],
    'flow.tools[2]',
  ],
  [
    'a planner’s reply as long as the context',
    { ...GOOD, flow: { planner: { max_tokens: 4096 } } },
    [
      '4096 is too large for tiny-random, whose context has 2048 tokens',
      'The largest that leaves room for a prompt is 2032',
    ],
    'flow.planner.max_tokens',
  ],
  [
    'a frozen module’s reply as long as the context',
    { ...GOOD, flow: { tool_engine: { engine: 'policy', max_tokens: 2033 } } },
    ['2033 is too large for tiny-random', 'The largest that leaves room for a prompt is 2032'],
    'flow.tool_engine.max_tokens',
  ],
  [
    'a judge that is not there',
    { ...GOOD, flow: { scoring: { undecided: 'judge' } } },
    ['flow.scoring.undecided: needs a judge', 'flow.scoring.judge', '"wrong" or "exclude"'],
    'flow.scoring.undecided',
  ],
  [
    'a reward that there is not',
    { ...GOOD, flow: { scoring: { reward: 'F1' } } },
    ['flow.scoring.reward', '"exact"', '"f1"'],
    'flow.scoring.reward',
  ],
  ['a group of one', { ...GOOD, training: { group_size: 1 } }, ['at least 2', '(got 1)'], 'training.group_size'],
  [
    'a negative learning rate',
    { ...GOOD, training: { learning_rate: -1e-4 } },
    ['training.learning_rate: must be more than 0'],
    'training.learning_rate',
  ],
  ['a path as a model', { ...GOOD, model: '../weights' }, ['is a path', 'must not hold a path'], 'model'],
  ['a URL as a dataset', { ...GOOD, dataset: { name: 'https://x.test/d' } }, ['is a URL'], 'dataset.name'],
  ['a path as a tool', { ...GOOD, flow: { tools: ['/bin/sh'] } }, ['is a path'], 'flow.tools[0]'],
  ['no model', { steps: 2 }, ['model: is missing'], 'model'],
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
    ['training.policy_loss.dual: does not belong to kind: cispo. Known here: kind, high'],
    'training.policy_loss.dual',
  ],
  [
    'rollouts for supervised fine-tuning',
    { ...GOOD, training: { objective: 'sft', trajectories: { run: 'a' }, group_size: 4 } },
    ['training.group_size: does not belong to objective: sft'],
    'training.group_size',
  ],
  [
    'recorded trajectories for Flow-GRPO',
    { ...GOOD, training: { trajectories: { run: 'a' } } },
    ['training.trajectories: does not belong to the default objective'],
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
    ['from.allow[1]', 'must be one of "base-model", "tokenizer", "prompts", "dataset"'],
    'from.allow[1]',
  ],
  ['a list', [], ['the configuration: must be an object'], ''],
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

  it.each([
    ['YAML', 'application/yaml', 'model: tiny-random\nsteps: .nan'],
    ['JSON', 'application/json', '{"model":"tiny-random","steps":1e999}'],
  ])(
    'is refused in %s when a number is none, before its hash is made for an Idempotency-Key',
    async (_, type, body) => {
      const error = errorOf(await submit(type, body).expect(400));
      expect(error.message).toContain('steps is not a finite number');
    },
  );

  it('is refused at its first key too many, whatever follows', async () => {
    const keys = Array.from({ length: 2_000_000 }, (_, n) => `"k${n}":0`).join();
    const question = api.request('post', '/v1/agent_flows').type('application/json').send(`{${keys}}`);
    expect(errorOf(await question.expect(400)).message).toContain('more than 5000 keys');
  });

  it('is told 20 of its issues, and how many more there are', async () => {
    const unknown = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`k${n}`, 0]));
    const error = errorOf(await submit('application/json', JSON.stringify({ ...GOOD, ...unknown })).expect(400));
    expect(error.issues).toHaveLength(20);
    expect(error).toMatchObject({ more_issues: 980 });
    expect(error.message).toMatch(/and 980 more$/);
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
    const large = JSON.stringify({ ...GOOD, name: 'x'.repeat(BODY_BOUNDS.bytes) });
    const error = errorOf(await submit('application/json', large).expect(413));
    expect(error).toMatchObject({ code: 'body_too_large' });
    expect(error.message).toContain('1048576');
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      expect(errorOf(await submit(type, 'model=x').expect(415))).toMatchObject({ code: 'unsupported_content_type' });
    }
  });

  it.each(['charset=utf-16', 'charset=utf-8; charset=utf-16', 'charset=utf-16;charset="utf-8"'])(
    'is refused as %s',
    async (charset) => {
      const error = errorOf(await submit(`application/json; ${charset}`, JSON.stringify(GOOD)).expect(415));
      expect(error).toMatchObject({ code: 'unsupported_content_type', param: 'Content-Type' });
      expect(error.message).toContain('The charset of the body is utf-16.');
    },
  );

  it('is refused with an expectation that nobody knows, in the shape of every error', async () => {
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    socket.end('POST /v1/training_runs HTTP/1.1\r\nHost: localhost\r\nExpect: nonsense\r\nContent-Length: 0\r\n\r\n');
    const [head, body] = (await text(socket)).split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 417 /);
    expect(JSON.parse(body)).toMatchObject({ error: { code: 'unknown_expectation', param: 'Expect' } });
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
