import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { locateApi } from './locate-api.js';

describe(locateApi, () => {
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'agentflow-data-'));
  });
  afterAll(async () => rm(directory, { recursive: true }));

  it('says what to do where there is neither a file nor the variables', async () => {
    await expect(locateApi({ AGENTFLOW_DATA: directory })).rejects.toThrow(/npm run up/);
    await expect(locateApi({ AGENTFLOW_DATA: directory, AGENTFLOW_API_KEY: 'k' })).rejects.toThrow(/npm run up/);
  });

  it('reads the file of the local stack; each variable goes before it', async () => {
    const api = { url: 'http://127.0.0.1:8400', key: 'af-file' };
    await writeFile(join(directory, 'api.json'), JSON.stringify(api));
    expect(await locateApi({ AGENTFLOW_DATA: directory })).toEqual(api);
    expect(await locateApi({ AGENTFLOW_DATA: directory, AGENTFLOW_API_KEY: 'k' })).toEqual({ ...api, key: 'k' });
    const url = 'http://127.0.0.1:9000';
    expect(await locateApi({ AGENTFLOW_DATA: directory, AGENTFLOW_API_URL: url })).toEqual({ ...api, url });
    await expect(locateApi({ AGENTFLOW_DATA: directory, AGENTFLOW_API_URL: 'nonsense' })).rejects.toThrow(/API_URL/);
  });
});
