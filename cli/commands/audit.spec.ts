import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createApiKey } from '../../infra/database/api-keys.js';
import { AuditEntry } from '../../infra/database/entities/index.js';
import { until } from '../../test/support/started-run.js';
import { TestApi } from '../../api/testing/test-api.js';
import type { AuditLog } from '../client/api-types.js';
import { runCli, type CliOutcome } from '../testing/test-cli.js';

describe('agentflow audit', () => {
  let api: TestApi;
  let theirs: string;

  beforeAll(async () => {
    api = await TestApi.start();
    theirs = await createApiKey(api.database.dataSource, 'theirs', { name: 'their admin' });
    const first = await runCli({ url: api.url, key: api.key }, 'projects', 'create', 'first', '--json');
    expect(first.exitCode).toBe(0);
    await runCli({ url: api.url, key: theirs }, 'webhooks', 'create', 'https://receiver.test/');
    const entries = api.database.dataSource.getRepository(AuditEntry);
    // How a request ended is written after its answer.
    await until(async () => (await entries.findBy({ status: 201 })).length === 2);
  });
  afterAll(async () => api.stop());

  const audit = (key: string, ...args: string[]): Promise<CliOutcome> =>
    runCli({ url: api.url, key }, 'audit', ...args);
  const json = async (key: string, ...args: string[]): Promise<AuditLog> =>
    JSON.parse((await audit(key, ...args, '--json')).lines.join('\n')) as AuditLog;

  it('lists who asked for what, newest first, in pages', async () => {
    const { lines, notes } = await audit(api.key, '--limit', '1');
    expect(lines[0].split(/ {2,}/)).toEqual(['TIME', 'PROJECT', 'KEY', 'NAME', 'FROM', 'STATUS', 'REQUEST']);
    expect(lines.slice(1)).toEqual([
      expect.stringMatching(/^\S+ +theirs +key-\S+ +their admin +\S+ +201 +POST \/v1\/webhooks$/),
    ]);
    const [{ id }] = (await json(api.key, '--limit', '1')).data;
    expect(notes).toEqual([`There are more: --after ${id}`]);
    const older = await audit(api.key, '--after', id);
    expect(older.lines.slice(1)).toEqual([expect.stringMatching(/ default .* 201 +POST \/v1\/projects$/)]);
    expect(older.notes).toEqual([]);
  });

  it('lists one project for an operator, and for others their own', async () => {
    const projectsOf = async (key: string, ...args: string[]) =>
      (await json(key, ...args)).data.map((entry) => entry.project);
    expect(await projectsOf(api.key)).toEqual(['theirs', 'default']);
    expect(await projectsOf(api.key, '--project', 'theirs')).toEqual(['theirs']);
    expect(await projectsOf(theirs)).toEqual(['theirs']);
    await expect(audit(theirs, '--project', 'default')).rejects.toThrow('there is no project "default"');
    await expect(audit(api.key, '--limit', '0')).rejects.toThrow(/1 to 100/);
  });
});
