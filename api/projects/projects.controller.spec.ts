import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createApiKey } from '../../infra/database/api-keys.js';
import { TestApi } from '../testing/test-api.js';
import type { ProjectDto } from './project.dto.js';

describe('projects', () => {
  let api: TestApi;
  let theirs: string;

  beforeAll(async () => {
    api = await TestApi.start();
    theirs = await createApiKey(api.database.dataSource, 'theirs');
  });
  afterAll(async () => api.stop());

  it('are created by an admin of the project default alone', async () => {
    const answer = await api.request('post', '/v1/projects').send({ id: 'team-a' }).expect(201);
    expect(answer.headers['location']).toBe('/v1/projects/team-a');
    expect(answer.body).toMatchObject({ id: 'team-a', object: 'project' });
    const refused = await api.request('post', '/v1/projects', theirs).send({ id: 'team-b' }).expect(403);
    expect(refused.body).toMatchObject({ error: { type: 'permission_error', code: 'operator_only' } });
  });

  it('are created once, and again by an Idempotency-Key', async () => {
    const post = (id: string, key: string) =>
      api.request('post', '/v1/projects').set('Idempotency-Key', key).send({ id });
    await post('once', 'first').expect(201);
    await post('once', 'first').expect(200);
    await post('twice', 'first').expect(409);
    const { body } = await post('once', 'second').expect(409);
    expect(body).toMatchObject({ error: { code: 'project_exists', param: 'id' } });
    // The refused request has not used up its key.
    await post('second', 'second').expect(201);
  });

  it.each(['', 'A', '-a', 'a-', 'a b', 'a/b', '..', 'a'.repeat(64), 7])('are not called %j', async (id) => {
    const { body } = await api.request('post', '/v1/projects').send({ id }).expect(400);
    expect(body).toMatchObject({ error: { code: 'invalid_request', param: 'id' } });
  });

  it('are all there for an operator, and the own one for another admin', async () => {
    const ids = async (key?: string) => {
      const { body } = await api.request('get', '/v1/projects', key).query({ limit: 100 }).expect(200);
      return (body as { data: ProjectDto[] }).data.map(({ id }) => id);
    };
    expect((await ids()).slice(0, 2)).toEqual(['default', 'theirs']);
    expect(await ids(theirs)).toEqual(['theirs']);
    await api.request('get', '/v1/projects/theirs').expect(200);
    await api.request('get', '/v1/projects/theirs', theirs).expect(200);
    for (const id of ['default', 'nowhere']) await api.request('get', `/v1/projects/${id}`, theirs).expect(404);
    await api.request('get', '/v1/projects', theirs).query({ after: 'default' }).expect(400);
  });

  it('are listed in pages', async () => {
    const { body } = await api.request('get', '/v1/projects').query({ limit: 1 }).expect(200);
    expect(body).toMatchObject({ has_more: true, last_id: 'default' });
    const next = await api.request('get', '/v1/projects').query({ limit: 1, after: 'default' }).expect(200);
    expect(next.body).toMatchObject({ first_id: 'theirs' });
  });
});
