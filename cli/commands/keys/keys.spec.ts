import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiKey as ApiKeyRow } from '../../../infra/database/entities/index.js';
import { TestApi } from '../../../api/testing/test-api.js';
import type { ApiKey, CreatedApiKey } from '../../client/api-types.js';
import { runCli, runCliWithAnswer, type CliOutcome } from '../../testing/test-cli.js';
import { parseExpiry } from './expiry.js';

describe('agentflow keys and projects', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await TestApi.start();
  });
  afterAll(async () => api.stop());

  const cli = (...args: string[]): Promise<CliOutcome> => runCli({ url: api.url, key: api.key }, ...args);
  const json = async <T>(...args: string[]): Promise<T> =>
    JSON.parse((await cli(...args, '--json')).lines.join('\n')) as T;

  it('create prints the key alone on standard output, and the key works', async () => {
    const { lines, notes } = await cli('keys', 'create', 'notebook', '--scopes', 'read,submit', '--expires', '90d');
    expect(lines).toHaveLength(1);
    expect(notes[0]).toContain('of the project default, read, submit, until 2');
    expect(notes.join('\n')).not.toContain(lines[0]);
    await api.request('get', '/v1/training_runs', lines[0]).expect(200);
  });

  it('list shows a table without keys, and revoke ends one', async () => {
    const created = await json<CreatedApiKey>('keys', 'create', 'brief', '--scopes', 'read');
    const { lines } = await cli('keys', 'list');
    expect(lines[0].split(/ {2,}/)).toEqual(['KEY', 'BEGINS', 'SCOPES', 'CREATED', 'LAST USED', 'EXPIRES', 'NAME']);
    expect(lines.find((line) => line.includes(created.id))).toMatch(/af-\S{6}… +read +\S+ +never +never +brief$/);
    expect((await cli('keys', 'revoke', created.id)).lines[0]).toContain(`Revoked ${created.id} (brief)`);
    expect((await json<{ data: ApiKey[] }>('keys', 'list')).data.map(({ id }) => id)).not.toContain(created.id);
    expect((await json<ApiKey>('keys', 'revoke', created.id)).revoked_at).not.toBeNull();
    await api.request('get', '/v1/training_runs', created.key!).expect(401);
  });

  describe('revoke, of the key in use', () => {
    const other = async () => {
      const created = await json<CreatedApiKey>('keys', 'create', 'mine', '--scopes', 'read,admin');
      return { id: created.id, access: { url: api.url, key: created.key! } };
    };

    it('says so, asks for its id, and does nothing without it', async () => {
      const { id, access } = await other();
      await expect(runCli(access, 'keys', 'revoke', id)).rejects.toThrow(/Nothing was revoked.*--yes/);
      await expect(runCliWithAnswer('yes', access, 'keys', 'revoke', id)).rejects.toThrow(/the answer is not key-/);
      const { lines } = await runCliWithAnswer(`${id}\n`, access, 'keys', 'revoke', id);
      expect(lines[0]).toMatch(/^This revokes key-\S+ for good: mine, of the project default\. It is the key in use/);
      expect(lines[1]).toContain(`Revoked ${id} (mine)`);
      await expect(runCli(access, 'runs', 'list')).rejects.toThrow(`The API key ${id} was revoked at 2`);
    });

    it('asks nothing with --yes', async () => {
      const { id, access } = await other();
      const { lines } = await runCli(access, 'keys', 'revoke', id, '--yes');
      expect(lines).toEqual([expect.stringContaining(`Revoked ${id}`)]);
    });

    it('asks too if an older version made the key, of which nothing tells whether it is the one', async () => {
      const { id } = await other();
      await api.database.dataSource.getRepository(ApiKeyRow).update({ id }, { prefix: null });
      await expect(cli('keys', 'revoke', id)).rejects.toThrow(/Nothing was revoked/);
    });
  });

  it('projects create and list, and a first key of a project', async () => {
    expect((await cli('projects', 'create', 'team')).lines).toEqual(['Created the project team.']);
    expect((await json<{ data: { id: string }[] }>('projects', 'list')).data.map(({ id }) => id)).toEqual([
      'default',
      'team',
    ]);
    expect((await cli('projects', 'list')).lines[0]).toMatch(/^PROJECT +CREATED$/);
    const first = await json<CreatedApiKey>('keys', 'create', 'a', '--scopes', 'admin', '--project', 'team');
    expect(first.project).toBe('team');
    expect((await json<{ data: ApiKey[] }>('keys', 'list', '--project', 'team')).data.map(({ id }) => id)).toEqual([
      first.id,
    ]);
  });

  it.each([
    [['keys', 'create', 'a', '--scopes', 'write'], /"write" is none of read, submit, admin/],
    [['keys', 'create', 'a'], /--scopes/],
    [['keys', 'create', 'a', '--scopes', 'read', '--expires', 'soon'], /90d/],
    [['keys', 'create', 'a', '--scopes', 'read', '--project', 'nowhere'], /there is no project "nowhere"/],
    [['keys', 'revoke', 'key-none'], /There is no key "key-none"/],
    [['projects', 'create', 'A'], /1 to 63 of a-z/],
  ])('%j says what is wrong', async (args, message) => {
    await expect(cli(...args)).rejects.toThrow(message);
  });

  it('reads when a key expires', () => {
    expect(parseExpiry('2d', 0)).toBe('1970-01-03T00:00:00.000Z');
    expect(parseExpiry('12h', 0)).toBe('1970-01-01T12:00:00.000Z');
    expect(parseExpiry('2027-01-31')).toBe('2027-01-31T00:00:00.000Z');
    expect(parseExpiry('2027-01-31T10:00:00+02:00')).toBe('2027-01-31T08:00:00.000Z');
    for (const text of ['soon', '1', '-1d', '12m', '1.5h', '2027-13-01']) expect(() => parseExpiry(text)).toThrow();
  });
});
