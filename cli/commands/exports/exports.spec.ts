import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TestApi } from '../../../api/testing/test-api.js';
import { exportedFile } from '../../../infra/artifacts/run-directory.js';
import { sha256Hex } from '../../../infra/artifacts/sha256.js';
import { PolicyExport, TrainingRun } from '../../../infra/database/entities/index.js';
import { trainingRunRow } from '../../../infra/database/testing/training-run-row.js';
import { deleted } from '../../require-consent.js';
import { runCli } from '../../testing/test-cli.js';

const FILES: Record<string, Buffer> = {
  'manifest.json': Buffer.from('{}\n'),
  'model.safetensors': Buffer.from(Array.from({ length: 200_000 }, (_, n) => n % 253)),
  'added_tokens.json': Buffer.alloc(0),
};

describe('agentflow exports', () => {
  let api: TestApi;
  let policy: string;
  let directory: string;

  beforeAll(async () => {
    api = await TestApi.start();
    const run = trainingRunRow();
    await api.database.dataSource.getRepository(TrainingRun).insert(run);
    policy = await api.commitPolicy(run.id, 2, 'a'.repeat(64));
  });
  afterAll(async () => api.stop());
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'agentflow-exports-'));
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await rm(directory, { recursive: true });
  });

  const cli = (...args: string[]) => runCli({ url: api.url, key: api.key }, 'exports', ...args);
  const create = async (...args: string[]): Promise<string> =>
    (JSON.parse((await cli('create', policy, '--json', ...args)).lines.join('\n')) as { id: string }).id;
  const completed = async (contents = FILES): Promise<string> => {
    const id = await create();
    const files = Object.entries(FILES).map(([name, bytes]) => ({
      name,
      bytes: bytes.length,
      sha256: sha256Hex(bytes),
    }));
    for (const [name, bytes] of Object.entries(contents)) {
      const path = join(api.artifacts, exportedFile(id, name));
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
    }
    await api.database.dataSource
      .getRepository(PolicyExport)
      .update({ id }, { status: 'completed', finishedAt: new Date(), files });
    return id;
  };
  const downloaded = async (to: string): Promise<Record<string, Buffer>> =>
    Object.fromEntries(
      await Promise.all((await readdir(to)).map(async (name) => [name, await readFile(join(to, name))] as const)),
    );
  /** Headers of the requests for a file that were sent. */
  const watched = (name: string) => {
    const requests: Record<string, string>[] = [];
    const { fetch: usual } = globalThis;
    jest.spyOn(globalThis, 'fetch').mockImplementation((url, init) => {
      if ((url as URL).pathname.endsWith(name)) requests.push(init!.headers as Record<string, string>);
      return usual(url, init);
    });
    return requests;
  };

  it('creates, lists, shows, cancels, revives and deletes', async () => {
    const id = await create('--merged');
    expect((await cli('list', '--policy', policy, '--status', 'queued')).lines[1]).toMatch(
      new RegExp(`^${id} +${policy} +yes +queued +0 +20`),
    );
    expect((await cli('show', id)).lines).toContain('status    queued');
    expect((await cli('list', '--status', 'failed')).lines).toHaveLength(1);
    const done = await completed();
    expect((await cli('show', done)).lines).toContainEqual(
      expect.stringMatching(/^model\.safetensors +200000 +[0-9a-f]{64}$/),
    );
    await expect(cli('cancel', done)).rejects.toThrow(/it cannot be cancelled/);
    await expect(cli('revive', done)).rejects.toThrow(/it cannot be revived/);
    api.workflows.goneWorkflow = { reason: 'it completed', cancelled: false };
    expect((await cli('delete', done, '--yes')).lines).toEqual([deleted(done)]);
    api.workflows.goneWorkflow = undefined;
    await expect(cli('show', done)).rejects.toThrow(/There is no export/);
  });

  it('create --wait ends with an error and its sentence if the export fails', async () => {
    const waiting = cli('create', policy, '--wait').catch((error: Error) => error);
    const rows = api.database.dataSource.getRepository(PolicyExport);
    let newest = null;
    while (newest === null) newest = await rows.findOneBy({ policyName: policy, merged: false, status: 'queued' });
    const failure = { type: 'DiskFull', message: 'there is no room' };
    await rows.update({ id: newest.id }, { status: 'failed', failure, finishedAt: new Date() });
    expect(await waiting).toMatchObject({ message: `${newest.id} is failed: there is no room.`, exitCode: 1 });
    await expect(cli('download', newest.id, '--to', join(directory, 'planner'))).rejects.toThrow(/is failed/);
  });

  it('downloads all files into a new directory or an empty one, and refuses one in use', async () => {
    const id = await completed();
    const to = join(directory, 'planner');
    await mkdir(to);
    expect((await cli('download', id, '--to', to)).lines).toEqual([`${policy} is in ${to}`]);
    expect(await downloaded(to)).toEqual(FILES);
    await expect(cli('download', id, '--to', to)).rejects.toThrow(/not an empty directory/);
    await expect(cli('download', id, '--to', join(to, 'manifest.json'))).rejects.toThrow(/not an empty directory/);
    expect(await readdir(directory)).toEqual(['planner']);
  });

  it('goes on with a file where it broke, and leaves no directory that counts before it is whole', async () => {
    const short = { ...FILES, 'model.safetensors': FILES['model.safetensors'].subarray(0, 150_000) };
    const id = await completed(short);
    const to = join(directory, 'planner');
    await expect(cli('download', id, '--to', to)).rejects.toThrow();
    expect(await readdir(directory)).toEqual([`.planner.${id}`]);
    const half = join(directory, `.planner.${id}`, 'model.safetensors');
    await writeFile(half, FILES['model.safetensors'].subarray(0, 70_000));
    await writeFile(join(api.artifacts, exportedFile(id, 'model.safetensors')), FILES['model.safetensors']);
    const requests = watched('model.safetensors');
    await cli('download', id, '--to', to);
    expect(requests).toMatchObject([
      { Range: 'bytes=70000-', 'If-Range': `"${sha256Hex(FILES['model.safetensors'])}"` },
    ]);
    expect(await downloaded(to)).toEqual(FILES);
    expect(await readdir(directory)).toEqual(['planner']);
  });

  it('fetches a file anew whose beginning is of another, or which is too long', async () => {
    const id = await completed();
    for (const [place, left] of [
      ['begun', Buffer.alloc(70_000, 1)],
      ['long', Buffer.alloc(300_000, 1)],
    ] as const) {
      const to = join(directory, place);
      await mkdir(join(directory, `.${place}.${id}`));
      await writeFile(join(directory, `.${place}.${id}`, 'model.safetensors'), left);
      await cli('download', id, '--to', to);
      expect(await downloaded(to)).toEqual(FILES);
    }
  });

  it('takes the whole file as the whole file if the server ignores the range', async () => {
    const id = await completed();
    const gathering = join(directory, `.planner.${id}`);
    await mkdir(gathering);
    await writeFile(join(gathering, 'model.safetensors'), FILES['model.safetensors']);
    await truncate(join(gathering, 'model.safetensors'), 70_000);
    const { fetch: usual } = globalThis;
    jest.spyOn(globalThis, 'fetch').mockImplementation((url, init) => {
      const headers = new Headers(init!.headers);
      headers.delete('Range');
      return usual(url, { ...init, headers });
    });
    await cli('download', id, '--to', join(directory, 'planner'));
    expect(await downloaded(join(directory, 'planner'))).toEqual(FILES);
  });

  it('refuses a file that always arrives altered', async () => {
    const altered = Buffer.from(FILES['model.safetensors']);
    altered[5] ^= 1;
    const id = await completed({ ...FILES, 'model.safetensors': altered });
    const to = join(directory, 'planner');
    await expect(cli('download', id, '--to', to)).rejects.toThrow(/arrived 2 times with another sha256/);
    expect(await readdir(directory)).toEqual([`.planner.${id}`]);
  });
});
