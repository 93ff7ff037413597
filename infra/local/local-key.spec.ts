import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { hashApiKey, readLocalApi, type LocalApi } from '../database/api-keys.js';
import { ApiKey } from '../database/entities/index.js';
import { createTestDatabase, type TestDatabase } from '../database/testing/test-database.js';
import { up } from './commands/up.js';
import { identifySelf } from './process-identity.js';
import { stackPaths } from './stack-options.js';
import { writeStackRecord } from './stack-record.js';
import { claimSupervision } from './supervision.js';

const API = 'http://127.0.0.1:8400';

describe('`up` of a stack that runs already', () => {
  let database: TestDatabase;
  let data: string;
  let supervision: { release(): void };

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => database.drop());
  beforeEach(() => {
    data = mkdtempSync(join(tmpdir(), 'agentflow-key-'));
    process.env['AGENTFLOW_DATA'] = data;
    supervision = claimSupervision(data);
    record(database.url);
    jest.spyOn(console, 'log').mockImplementation(() => undefined);
  });
  afterEach(() => {
    supervision.release();
    jest.restoreAllMocks();
    delete process.env['AGENTFLOW_DATA'];
    rmSync(data, { recursive: true });
  });

  const record = (url: string) =>
    writeStackRecord(stackPaths(data).record, {
      supervisor: identifySelf(),
      children: {},
      urls: { api: API, docs: `${API}/docs`, temporal: '127.0.0.1:7233', database: url, policyServer: API },
    });
  const keys = () => database.dataSource.getRepository(ApiKey);
  const stored = async (): Promise<LocalApi> => (await readLocalApi(stackPaths(data).api))!;
  /** What an `up` says below the addresses. */
  const said = async (): Promise<string> => {
    jest.mocked(console.log).mockClear();
    expect(await up()).toBe(0);
    const [first, ...more] = jest.mocked(console.log).mock.calls.map(([line]) => String(line));
    expect(first).toContain(`runs already (supervisor: process ${process.pid})`);
    return more.join('\n');
  };

  it('leaves a key in api.json that is accepted', async () => {
    await up();
    const before = await stored();
    expect(await said()).toBe('');
    expect(await stored()).toEqual(before);
  });

  it.each([
    ['was revoked', { revokedAt: new Date() }],
    ['has expired', { expiresAt: new Date() }],
  ])('replaces one that %s, and says so', async (_, change) => {
    await up();
    const { key } = await stored();
    await keys().update({ sha256: hashApiKey(key) }, change);
    expect(await said()).toContain('another one is there now');
    const renewed = await stored();
    expect(renewed).toEqual({ url: API, key: expect.not.stringContaining(key) });
    const row = await keys().findOneByOrFail({ sha256: hashApiKey(renewed.key) });
    expect(row).toMatchObject({ project: 'default', scopes: ['read', 'submit', 'admin'], expiresAt: null });
  });

  it('makes one if the file is gone or of another database', async () => {
    expect(await said()).toContain('another one is there now');
    writeFileSync(stackPaths(data).api, JSON.stringify({ url: API, key: 'af-of-another' }));
    expect(await said()).toContain('another one is there now');
    expect((await stored()).key).not.toBe('af-of-another');
  });

  it('says in a sentence that the database does not answer', async () => {
    record('postgres://agentflow:hunter2@127.0.0.1:1/agentflow');
    const failed = up();
    await expect(failed).rejects.toThrow(
      /Whether the key in .*api\.json is accepted is not known: the database does not/,
    );
    await expect(failed).rejects.not.toThrow(/hunter2/);
  });
});
