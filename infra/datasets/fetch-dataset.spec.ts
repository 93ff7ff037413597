import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { fetchDataset, type FetchProgress } from './fetch-dataset.js';
import { Hub } from './hub.js';

const COMMIT = 'c'.repeat(40);
const SMALL = Buffer.from('{"id": 1}\n');
const LARGE = Buffer.alloc(300_000, 'x');
const TOKEN = 'hf_marked_token';
const source = { repository: 'maker/set', files: /^data\/.*/, licence: 'mit', gated: false };

describe('fetchDataset', () => {
  let server: Server;
  let endpoint: string;
  let directory: string;
  let licence: string;
  let served: Record<string, Buffer>;
  let requests: { path: string; authorization?: string }[];
  let wantsToken: boolean;

  beforeAll(async () => {
    server = createServer((request, response) => {
      const path = request.url ?? '';
      requests.push({ path, authorization: request.headers.authorization });
      if (wantsToken && request.headers.authorization !== `Bearer ${TOKEN}`) return response.writeHead(401).end();
      if (path.startsWith('/api/datasets/maker/set/')) return response.end(JSON.stringify(description()));
      const file = served[path.replace(`/datasets/maker/set/resolve/${COMMIT}/`, '')];
      return file ? response.end(file) : response.writeHead(404).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    server.keepAliveTimeout = 60_000; // a connection that is used again must not be closed meanwhile
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server.close());
  beforeEach(async () => {
    directory = join(await mkdtemp(join(tmpdir(), 'fetch-')), 'set');
    [licence, wantsToken, requests] = ['mit', false, []];
    served = { 'data/small.jsonl': SMALL, 'data/large.parquet': LARGE, 'README.md': Buffer.from('no data') };
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  function description() {
    const sha1 = createHash('sha1').update(`blob ${SMALL.length}\0`).update(SMALL).digest('hex');
    const sha256 = createHash('sha256').update(LARGE).digest('hex');
    return {
      sha: COMMIT,
      cardData: { license: licence },
      siblings: [
        { rfilename: 'data/small.jsonl', size: SMALL.length, blobId: sha1 },
        { rfilename: 'data/large.parquet', size: LARGE.length, blobId: 'pointer', lfs: { sha256, size: LARGE.length } },
        { rfilename: 'README.md', size: 7, blobId: 'x' },
      ],
    };
  }

  const fetchIt = (
    changes: { gated?: boolean; token?: string; accepted?: string; onProgress?: (p: FetchProgress) => void } = {},
  ) =>
    fetchDataset({
      name: 'set',
      source: { ...source, gated: changes.gated ?? false },
      hub: new Hub(endpoint, changes.token),
      hasToken: changes.token !== undefined,
      acceptedLicence: changes.accepted,
      directory,
      onProgress: changes.onProgress ?? (() => undefined),
    });

  it('downloads the files that are used, checks them and writes where they came from', async () => {
    const progress: FetchProgress[] = [];
    const record = await fetchIt({ onProgress: (step) => progress.push(step) });
    expect(record).toMatchObject({ repository: 'maker/set', commit: COMMIT, licence: 'mit' });
    expect((await readdir(directory)).sort()).toEqual(['data-large.parquet', 'data-small.jsonl', 'fetched.json']);
    expect(await readFile(join(directory, 'data-large.parquet'))).toEqual(LARGE);
    expect(progress.at(-1)).toEqual({ file: 'data-large.parquet', bytes: LARGE.length, total: LARGE.length });
    requests = [];
    expect(await fetchIt()).toEqual(record);
    expect(requests.map(({ path }) => path)).toEqual([expect.stringContaining('/api/')]);
  });

  it.each([
    ['data/large.parquet', LARGE.subarray(1)],
    ['data/large.parquet', Buffer.alloc(LARGE.length, 'y')],
    ['data/small.jsonl', Buffer.from('{"id": 2}\n')],
  ])('throws away a %s that is not what the hub states', async (name, bytes) => {
    served[name] = bytes;
    await expect(fetchIt()).rejects.toThrow(/not what the hub states/);
    const left = await readdir(directory);
    expect(left).not.toContain(name.replace('/', '-'));
    expect(left.filter((file) => file.endsWith('.part'))).toEqual([]);
  });

  it('I13: keeps another file of the name beside the fetched one, and a right one as it is', async () => {
    await mkdir(directory);
    const changed = Buffer.from('changed by somebody');
    await writeFile(join(directory, 'data-small.jsonl'), changed);
    await fetchIt();
    const kept = (await readdir(directory)).find((name) => name.startsWith('data-small.jsonl.earlier-'));
    expect(await readFile(join(directory, kept!))).toEqual(changed);
    expect(await readFile(join(directory, 'data-small.jsonl'))).toEqual(SMALL);
    const before = await readdir(directory);
    await fetchIt();
    expect(await readdir(directory)).toEqual(before);
  });

  it('refuses another licence until it is accepted by name', async () => {
    licence = 'cc-by-nc-4.0';
    await expect(fetchIt()).rejects.toThrow(/now "cc-by-nc-4.0"; it was "mit".*--accept-licence/);
    await expect(fetchIt({ accepted: 'apache-2.0' })).rejects.toThrow(/cc-by-nc/);
    expect(await fetchIt({ accepted: 'cc-by-nc-4.0' })).toMatchObject({ licence: 'cc-by-nc-4.0' });
  });

  it('keeps gated data gated: no request without a token, and the token is stored nowhere', async () => {
    wantsToken = true;
    await expect(fetchIt({ gated: true })).rejects.toThrow(/accept the terms.*HF_TOKEN/);
    expect(requests).toEqual([]);
    await expect(fetchIt({ gated: true, token: 'hf_wrong' })).rejects.toThrow(/refuses maker\/set \(401\)/);
    await fetchIt({ gated: true, token: TOKEN });
    for (const name of await readdir(directory)) {
      expect(await readFile(join(directory, name), 'latin1')).not.toContain(TOKEN);
    }
  });

  it('says that the hub is not there, or has no such file', async () => {
    await expect(
      fetchDataset({
        name: 's',
        source,
        hub: new Hub('http://127.0.0.1:9', undefined),
        hasToken: false,
        directory,
        onProgress: () => undefined,
      }),
    ).rejects.toThrow(/cannot be reached/);
    delete served['data/small.jsonl'];
    await expect(fetchIt()).rejects.toThrow(/answered 404/);
  });
});
