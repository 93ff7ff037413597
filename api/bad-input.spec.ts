import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Response } from 'supertest';
import { KEY_SCOPES, type KeyScope } from '../contracts/key-scopes.js';
import { createApiKey } from '../infra/database/api-keys.js';
import { requiredScope } from './auth/authorize.js';
import { BODY_BOUNDS, QUESTIONS } from './common/body.middleware.js';
import { filledPath, OPERATIONS, parametersOf, type DescribedOperation } from './testing/described-routes.js';
import { CREATES, fillLists, sending, type Ids } from './testing/first-project.js';
import { TestApi } from './testing/test-api.js';

/* Wrong requests to every route of docs/openapi.json: each is refused by name, in the one shape, and none is a 5xx. */

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

const OPEN = new Set(['/health']);
const named = (operations: DescribedOperation[]) => operations.map((operation) => [operation.name, operation] as const);
const closed = OPERATIONS.filter(({ path }) => !OPEN.has(path));
const writing = closed.filter(({ method }) => method !== 'get');
/** Files are uploaded by a route with tests of its own: api/datasets/. */
const ofJson = writing.filter(({ name }) => name !== 'post /v1/datasets');
const withBody = ofJson.filter(({ operation }) => operation.requestBody);
const lists = closed.filter((operation) => parametersOf(operation, 'query').includes('limit'));
/** What OpenAI's clients ask creates a flow too, and waits for its answer: api/openai/ has tests of its own. */
const creating = closed.filter(
  (operation) => operation.operation.responses['201'] && parametersOf(operation, 'header').includes('Idempotency-Key'),
);

describe('a request that is wrong', () => {
  let api: TestApi;
  let ids: Ids;
  let keys: Record<KeyScope, string>;

  beforeAll(async () => {
    api = await TestApi.start();
    ids = await fillLists(api);
    const without = (scope: KeyScope) =>
      createApiKey(api.database.dataSource, 'default', { scopes: KEY_SCOPES.filter((other) => other !== scope) });
    keys = { read: await without('read'), submit: await without('submit'), admin: await without('admin') };
  });
  afterAll(async () => api.stop());

  const to = (path: string) => filledPath(path, encodeURIComponent(ids[path.split('/{')[0]] ?? 'none'));
  const open = ({ method, path }: DescribedOperation, key?: string) => api.request(method as Method, to(path), key);

  it.each(named(closed))('%s: without a key', async (_, { method, path }) => {
    expectRefusal(await api.request(method as Method, to(path), 'none'), 401, 'invalid_api_key');
  });

  it.each(named(closed))('%s: with a key that lacks the scope', async (_, operation) => {
    const { method, path } = operation;
    const scope = requiredScope({ method: method.toUpperCase(), path });
    const { message } = expectRefusal(await open(operation, keys[scope]), 403, 'insufficient_scope');
    expect(message).toContain(`"${scope}"`);
  });

  it.each(named(writing))('%s: of another content type', async (_, operation) => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'text/html']) {
      expectRefusal(await open(operation).set('Content-Type', type).send('a=1'), 415, 'unsupported_content_type');
    }
  });

  it.each(named(ofJson))('%s: too large, too deep, or no JSON', async (_, operation) => {
    const json = (text: string) => open(operation).set('Content-Type', 'application/json').send(text);
    const { bytes, questionBytes } = BODY_BOUNDS;
    const most = QUESTIONS.test(operation.path) ? questionBytes : bytes;
    expectRefusal(await json(`{"a":"${'a'.repeat(most)}"}`), 413, 'body_too_large');
    expectRefusal(await json('{"a":'.repeat(1_000) + '1' + '}'.repeat(1_000)), 400, 'invalid_json');
    expectRefusal(await json('{"a":1'), 400, 'invalid_json');
  });

  it.each(named(withBody))('%s: a body of another type, or with a key that is unknown', async (_, operation) => {
    for (const body of ['[]', '7', '"a"', 'true', '[{}]', '{"no_such_key":1}']) {
      const answer = await open(operation).set('Content-Type', 'application/json').send(body);
      expectRefusal(answer, 400);
    }
  });

  it.each(named(lists))('%s: a query that cannot be', async (_, operation) => {
    const queries = [{ no_such_parameter: 1 }, { limit: 0 }, { limit: 'many' }, { limit: 1e9 }, { limit: ['1', '2'] }];
    for (const query of queries) expectRefusal(await open(operation).query(query), 400);
  });

  it.each(named(lists))('%s: an empty text for a number', async (_, operation) => {
    const numbers = (operation.operation.parameters ?? []).filter(({ schema }) =>
      /integer|number/.test(schema?.type ?? ''),
    );
    expect(numbers.map(({ name }) => name)).toContain('limit');
    for (const { name } of numbers) {
      const { message } = expectRefusal(await open(operation).query({ [name]: '' }), 400);
      expect(message).toContain(name);
    }
  });

  it.each(named(lists))('%s: the cursor of another list', async (_, operation) => {
    const cursors = Object.entries(ids).filter(([, id]) => id !== ids[operation.path]);
    const run_id = ids['/v1/training_runs'];
    const needed = parametersOf(operation, 'query').includes('run_id') ? { run_id } : {};
    for (const [, after] of cursors) {
      const answer = await open(operation).query({ ...needed, after });
      // Rollouts are in the order of their ids, which any text has a place in.
      if (operation.path === '/v1/rollouts' && answer.status === 200) continue;
      expectRefusal(answer, 400);
    }
  });

  it.each(named(creating))(
    '%s: an Idempotency-Key again, with another body, and one that is none',
    async (name, operation) => {
      const bodies = CREATES[name];
      if (!bodies) throw new Error(`${name}: CREATES has no bodies that it accepts.`);
      const post = (body: object, key: string) => sending(open(operation).set('Idempotency-Key', key), body);
      const first = await post(bodies[0], name.replaceAll(' ', ''));
      expect(first.status).toBe(201);
      expect((await post(bodies[0], name.replaceAll(' ', ''))).status).toBe(200);
      expectRefusal(await post(bodies[1], name.replaceAll(' ', '')), 409, 'idempotency_key_reused');
      expectRefusal(await post(bodies[0], 'a b'), 400, 'invalid_idempotency_key');
    },
  );

  it.each(named(closed.filter(({ path }) => path.includes('{'))))(
    '%s: an id that is none',
    async (_, { method, path }) => {
      for (const id of ['%00', '%ff', '..%2f..', 'a'.repeat(5_000), "';--", '%F0%9F%92%A9', '__proto__']) {
        const answer = await api.request(method as Method, filledPath(path, id));
        expectRefusal(answer);
      }
    },
  );
});

/** @returns what it says */
function expectRefusal({ status, body, headers }: Response, expected?: number, code?: string): { message: string } {
  expect({ status, body: body as unknown }).toEqual({
    status: expected ?? expect.any(Number),
    body: {
      error: expect.objectContaining({
        message: expect.stringMatching(/./),
        type: expect.stringMatching(/_error$/),
        code: code ?? expect.stringMatching(/^[a-z_]+$/),
      }),
    },
  });
  const { error } = body as { error: { message: string; param: unknown } };
  expect(error.param === null || typeof error.param === 'string').toBe(true);
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(500);
  expect(headers).toMatchObject({
    'content-type': expect.stringContaining('application/json'),
    'x-request-id': expect.any(String),
  });
  return error;
}
