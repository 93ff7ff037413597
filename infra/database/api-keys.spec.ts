import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ensureLocalApiKey, hashApiKey, readLocalApi } from './api-keys.js';
import { ApiKey } from './entities/index.js';
import { createTestDatabase, type TestDatabase } from './testing/test-database.js';

const URL_A = 'http://127.0.0.1:8400';

describe(ensureLocalApiKey.name, () => {
  let database: TestDatabase;
  let directory: string;
  let file: string;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => database.drop());
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'agentflow-keys-'));
    file = join(directory, 'data', 'api.json');
  });
  afterEach(async () => rm(directory, { recursive: true }));

  it('writes a key that only its owner can read and stores nothing but its digest', async () => {
    const api = await ensureLocalApiKey(database.dataSource, file, URL_A);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(api);
    const row = await database.dataSource.getRepository(ApiKey).findOneByOrFail({ sha256: hashApiKey(api.key) });
    expect(JSON.stringify(row)).not.toContain(api.key);
  });

  it('keeps a valid key and follows the URL', async () => {
    const first = await ensureLocalApiKey(database.dataSource, file, URL_A);
    const second = await ensureLocalApiKey(database.dataSource, file, 'http://127.0.0.1:9000');
    expect(second).toEqual({ url: 'http://127.0.0.1:9000', key: first.key });
    expect(await readLocalApi(file)).toEqual(second);
  });

  it.each([
    ['another database made it', JSON.stringify({ url: URL_A, key: 'af-unknown' })],
    ['it cannot be read', '{"url":'],
  ])('replaces the file when %s', async (_, content) => {
    await ensureLocalApiKey(database.dataSource, file, URL_A);
    await writeFile(file, content);
    const api = await ensureLocalApiKey(database.dataSource, file, URL_A);
    expect(api.key).not.toBe('af-unknown');
    expect(await readLocalApi(file)).toEqual(api);
  });
});
