import { Agent, request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { TrainingRun } from '../infra/database/entities/index.js';
import { trainingRunRow } from '../infra/database/testing/training-run-row.js';
import { description, OPERATIONS, type Schema } from './testing/described-routes.js';
import { TestApi } from './testing/test-api.js';

const NASTY_TEXTS = [
  '',
  '\0',
  '\ud800',
  '\u{1f4a9}',
  'NaN',
  '-1',
  '1e9',
  '1e999',
  '0x10',
  '9007199254740993',
  '__proto__',
];
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(...NASTY_TEXTS, 'constructor', '[]', '{}', "';--", '../..', 'x'.repeat(3_000)),
);
const number = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(NaN, Infinity, -Infinity, -0, 0, 2 ** 31, 2 ** 53, -(2 ** 53), 1e308, 5e-324),
);
const junk = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.anything({ maxDepth: 2, withDate: true, withNullPrototype: false }),
  text,
  number,
  fc.constantFrom(null, [], {}, true),
);
const registered = fc.constantFrom('smollm2-135m-instruct', 'tiny-random', 'atlas', 'calculator', 'run-1@1', 'base');

/** A value that is nearly what a schema wants, so that it comes past the first look. */
function near(schema: Schema | undefined, depth = 0): fc.Arbitrary<unknown> {
  if (!schema || depth > 8) return junk;
  if (schema.$ref) return near(description.components.schemas[schema.$ref.split('/').at(-1)!], depth + 1);
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return fc.oneof(...options.map((option) => near(option, depth + 1)));
  const nearly = (wanted: fc.Arbitrary<unknown>) =>
    fc.oneof({ weight: 9, arbitrary: wanted }, { weight: 1, arbitrary: junk });
  if ('const' in schema) return nearly(fc.constant(schema.const));
  if (schema.enum) return nearly(fc.constantFrom(...schema.enum));
  switch (schema.type ?? 'any') {
    case 'object': {
      const members = Object.entries(schema.properties ?? {}).map(([key, member]) => [key, near(member, depth + 1)]);
      return nearly(
        fc.record(Object.fromEntries(members) as Record<string, fc.Arbitrary<unknown>>, { requiredKeys: [] }),
      );
    }
    case 'array':
      return nearly(fc.array(near(schema.items, depth + 1), { maxLength: 3 }));
    case 'integer':
    case 'number': {
      const [min, max] = [Math.max(schema.minimum ?? 0, -1e6), Math.min(schema.maximum ?? 1e6, 1e6)];
      return fc.oneof(fc.integer({ min: Math.ceil(min), max: Math.max(Math.ceil(min), Math.floor(max)) }), number);
    }
    case 'string':
      return fc.oneof(registered, text);
    case 'boolean':
      return nearly(fc.boolean());
    default:
      return junk;
  }
}

const JSON_TEXTS = [
  ...[
    '',
    ' ',
    '{',
    '{"a":1,"a":2}',
    '{"steps":1e999}',
    '{"__proto__":{"a":1}}',
    '\ufeff{}',
    '[[[[',
    '-',
    '1',
    '"\\ud800"',
  ],
  '['.repeat(100_000),
  `{"question":"x","seed":${'9'.repeat(500)}}`,
  `{${Array.from({ length: 20_000 }, (_, n) => `"k${n}":0`).join()}}`,
];
const YAML_TEXTS = [
  ...['steps: .nan', 'steps: .inf', 'steps: -0', 'steps: 9007199254740993', 'a: 2001-01-01', 'a: !!binary aGk='],
  ...[
    '&a [*a]',
    '? a\n: b',
    '? '.repeat(20_000),
    '- '.repeat(30_000),
    '}'.repeat(60_000),
    '<<: {a: 1}',
    '%YAML 9.9\n---\na',
  ],
  ...['a: &a [1]\nb: [*a,*a]', '"\\0"', '"\\uD800"', '\ufeffa: 1', 'a: !!js/function x', '--- a\n--- b', '!!set {a}'],
];

interface Body {
  type: string;
  content: Buffer;
}
const asJson = (value: unknown): Body => ({
  type: 'application/json',
  content: Buffer.from(
    JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part)) ?? '',
  ),
});
const asYaml = (value: unknown): Body => ({ type: 'application/yaml', content: Buffer.from(stringify(value)) });
const texts = (type: string, choices: string[]) =>
  fc.constantFrom(...choices).map((content): Body => ({ type, content: Buffer.from(content) }));

function bodyFor(schema: Schema | undefined): fc.Arbitrary<Body | undefined> {
  const value = fc.oneof({ weight: 4, arbitrary: near(schema) }, { weight: 1, arbitrary: junk });
  return fc.oneof(
    { weight: 6, arbitrary: value.map(asJson) },
    { weight: 3, arbitrary: value.filter(isPrintable).map(asYaml) },
    { weight: 2, arbitrary: texts('application/json', JSON_TEXTS) },
    { weight: 2, arbitrary: texts('application/yaml', YAML_TEXTS) },
    fc.uint8Array().map((bytes) => ({ type: 'application/json', content: Buffer.from(bytes) })),
    fc.constant(undefined),
  );
}

function isPrintable(value: unknown): boolean {
  try {
    return typeof (stringify(value) as unknown) === 'string';
  } catch {
    return false;
  }
}

/** Every byte in percent, so that any text can stand in a URL; and what no text encodes to. */
const inUrl = fc.oneof(
  text.map((value) => [...Buffer.from(value)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')),
  fc.constantFrom(
    '%',
    '%ff',
    '%00',
    '%ED%A0%80',
    '%C0%80',
    '1',
    '-1',
    '5',
    'NaN',
    '1e9',
    '2147483648',
    '99999999999999999999',
  ),
);
const queryFor = (names: string[]) =>
  fc
    .array(
      fc.tuple(fc.oneof(fc.constantFrom(...names, 'after', 'limit', 'after[]', 'limit[a]', '__proto__'), inUrl), inUrl),
      {
        maxLength: 4,
      },
    )
    .map((pairs) => pairs.map(([name, value]) => `${name}=${value}`).join('&'));
const headerText = fc.oneof(
  fc.string({
    unit: fc
      .integer({ min: 0x20, max: 0xff })
      .filter((c) => c !== 0x7f)
      .map((c) => String.fromCharCode(c)),
  }),
  fc.constantFrom(
    '1',
    '-1',
    '2147483648',
    '999999999999999',
    'x'.repeat(300),
    'a b',
    '*/*',
    'text/event-stream',
    'key',
  ),
);

describe('whatever is sent (I16)', () => {
  let api: TestApi;
  let ids: string[];
  const agent = new Agent({ keepAlive: true });

  beforeAll(async () => {
    api = await TestApi.start();
    jest.spyOn(api.workflows, 'query').mockResolvedValue({});
    const run = trainingRunRow({ status: 'running' });
    await api.database.dataSource.getRepository(TrainingRun).insert(run);
    const flow = await api.request('post', '/v1/agent_flows').send({ question: 'What is 1 plus 1?' }).expect(201);
    const evaluation = await api
      .request('post', '/v1/evaluations')
      .send({ model: 'smollm2-135m-instruct', policies: ['base'], benchmarks: [{ name: 'atlas', questions: 1 }] })
      .expect(201);
    ids = [run.id, (flow.body as { id: string }).id, (evaluation.body as { id: string }).id];
  });
  afterAll(async () => {
    agent.destroy();
    await api.stop();
  });

  interface Sent {
    id: number | string;
    query: string;
    headers: Record<string, string>;
    body?: Body;
  }

  function send(
    method: string,
    path: string,
    { id, query, headers, body }: Sent,
  ): Promise<{ status: number; text: string }> {
    const url = path.replaceAll(/\{\w+\}/g, typeof id === 'number' ? ids[id % ids.length] : id);
    return new Promise((resolve, reject) => {
      const sent = httpRequest(
        {
          agent,
          port: new URL(api.url).port,
          method: method.toUpperCase(),
          path: query ? `${url}?${query}` : url,
          headers: {
            ...headers,
            Host: '127.0.0.1',
            Authorization: `Bearer ${api.key}`,
            ...(body && { 'Content-Type': body.type, 'Content-Length': body.content.length }),
          },
        },
        (response) => {
          const status = response.statusCode ?? 0;
          // A stream of events is as long as its run.
          if (response.headers['content-type']?.startsWith('text/event-stream')) {
            response.destroy();
            return resolve({ status, text: '' });
          }
          let answer = '';
          response.setEncoding('utf8').on('data', (part: string) => (answer += part));
          response.on('end', () => resolve({ status, text: answer })).on('error', reject);
        },
      );
      sent.on('error', reject).end(body?.content);
    });
  }

  it.each(OPERATIONS)('$name answers without a 5xx, and refuses in the one shape of errors', async (found) => {
    const { method, path, operation } = found;
    const named = (place: string) => (operation.parameters ?? []).filter((p) => p.in === place).map((p) => p.name);
    const header = fc.constantFrom(
      ...named('header'),
      'Idempotency-Key',
      'Last-Event-ID',
      'Accept',
      'Content-Encoding',
    );
    const contents = Object.values(operation.requestBody?.content ?? {});
    const sent: fc.Arbitrary<Sent> = fc.record({
      id: fc.oneof(
        { weight: 4, arbitrary: fc.nat(2) },
        { weight: 1, arbitrary: inUrl.filter((value) => value !== '') },
      ),
      query: fc.oneof(fc.constant(''), queryFor(named('query'))),
      headers: fc.dictionary(header, headerText, { maxKeys: 2 }),
      body: method === 'get' ? fc.constant(undefined) : bodyFor(contents[0]?.schema),
    });
    await fc.assert(
      fc.asyncProperty(sent, async (input) => {
        const { status, text: answer } = await send(method, path, input);
        expect(status).toBeLessThan(500);
        if (status >= 400) expect(JSON.parse(answer)).toHaveProperty('error.code', expect.any(String));
      }),
      { numRuns: method === 'get' ? 60 : 120 },
    );
  });
});
