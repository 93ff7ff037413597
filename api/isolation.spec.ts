import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createApiKey } from '../infra/database/api-keys.js';
import {
  collectionOf,
  filledPath,
  OPERATIONS,
  parametersOf,
  type DescribedOperation,
} from './testing/described-routes.js';
import { BODIES, fillLists, NAMING, type Ids } from './testing/first-project.js';
import { TestApi } from './testing/test-api.js';

/*
 * Another project's key, with every scope, on every route of docs/openapi.json. A route that nobody has told these tests
 * about fails by its name: api/testing/first-project.ts is where they are told.
 */

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** What every project may read, because it is the operator's. */
const SHARED = new Set(['/health', '/v1/models', '/v1/tools']);
/** Parameters that name what is in a list, by the list. */
const NAMED_BY: Record<string, string> = { run_id: '/v1/training_runs', project: '/v1/projects' };

const below = OPERATIONS.filter((operation) => parametersOf(operation, 'path').length > 0);
const beside = OPERATIONS.filter((operation) => !below.includes(operation) && !SHARED.has(operation.path));

describe('another project', () => {
  let api: TestApi;
  let ids: Ids;
  let theirs: string;

  beforeAll(async () => {
    api = await TestApi.start();
    ids = await fillLists(api);
    theirs = await createApiKey(api.database.dataSource, 'theirs');
  });
  afterAll(async () => api.stop());

  const idIn = (path: string, name: string): string => {
    const id = ids[collectionOf(path)];
    if (id === undefined) throw new Error(`${name}: fillLists() puts nothing into ${collectionOf(path)}.`);
    return id;
  };
  const send = (method: string, path: string, body: object | undefined, key?: string) => {
    const request = api.request(method as Method, path, key);
    return method === 'get' ? request : request.send(body ?? {});
  };
  /** What an answer says, without the id that was asked for. */
  const saying = ({ status, text }: { status: number; text: string }, id: string) => ({
    status,
    text: text.replaceAll(JSON.stringify(id).slice(1, -1), 'ID'),
  });

  it.each(below.map((operation) => [operation.name, operation] as const))(
    '%s: what is there is not there for it, and stays as it is',
    async (name, { method, path }) => {
      const id = idIn(path, name);
      const to = (to: string) => filledPath(path, encodeURIComponent(to));
      expect(to(id)).not.toContain('{');
      const item = `${collectionOf(path)}/${encodeURIComponent(id)}`;
      const before = await api.request('get', item).expect(200);
      const refused = await send(method, to(id), BODIES[name], theirs);
      expect(refused.status).toBe(404);
      const unknown = await send(method, to(another(id)), BODIES[name], theirs);
      expect(saying(refused, id)).toEqual(saying(unknown, another(id)));
      if (method === 'get') {
        await send(method, to(id), undefined, theirs).set('Accept', 'text/event-stream').expect(404);
      }
      expect((await api.request('get', item).expect(200)).body).toEqual(before.body);
    },
  );

  it.each(beside.filter(({ method }) => method === 'get').map((operation) => [operation.name, operation] as const))(
    '%s: it reads nothing of it, and no filter or cursor tells what is there',
    async (name, operation) => {
      const { path } = operation;
      const id = idIn(path, name);
      const named = namedIn(operation, ids);
      const owned = await api
        .request('get', path)
        .query({ limit: 100, ...named })
        .expect(200);
      expect(owned.text).toContain(JSON.stringify(id));
      const foreign = await api.request('get', path, theirs).query(named);
      expect([200, 400, 404]).toContain(foreign.status);
      if (foreign.status === 200)
        for (const known of Object.values(ids)) expect(foreign.text).not.toContain(`"${known}"`);
      const guesses = { ...named, ...(parametersOf(operation, 'query').includes('after') && { after: id }) };
      for (const [parameter, value] of Object.entries(guesses)) {
        const read = (guess: string) => api.request('get', path, theirs).query({ ...named, [parameter]: guess });
        expect(saying(await read(value), value)).toEqual(saying(await read(another(value)), another(value)));
      }
    },
  );

  it.each(beside.filter(({ method }) => method !== 'get').map((operation) => [operation.name, operation] as const))(
    '%s: it can name nothing of it',
    async (name, { method, path }) => {
      const bodies = NAMING[name];
      if (!bodies) throw new Error(`${name}: NAMING does not say how its body names what is in a list.`);
      const mistaken = Object.fromEntries(Object.entries(ids).map(([list, id]) => [list, another(id)]));
      for (const [index, body] of bodies(ids).entries()) {
        const refused = await send(method, path, body, theirs);
        expect([400, 404]).toContain(refused.status);
        const unknown = await send(method, path, bodies(mistaken)[index], theirs);
        const text = Object.entries(ids).reduce((said, [, id]) => said.replaceAll(id, another(id)), refused.text);
        expect({ status: refused.status, text }).toEqual({ status: unknown.status, text: unknown.text });
      }
    },
  );
});

/** What a list can be asked for by. */
function namedIn(operation: DescribedOperation, ids: Ids): Record<string, string> {
  const names = parametersOf(operation, 'query').filter((name) => name in NAMED_BY);
  return Object.fromEntries(names.map((name) => [name, ids[NAMED_BY[name]]]));
}

/** An id of the same form that is nobody's. */
function another(id: string): string {
  return `${id.slice(0, -1)}${id.endsWith('2') ? '3' : '2'}`;
}
