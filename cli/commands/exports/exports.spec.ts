import { execFile } from 'node:child_process';
import {
  link,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
  type FileHandle,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TestApi } from '../../../api/testing/test-api.js';
import { exportedFile } from '../../../infra/artifacts/run-directory.js';
import { sha256Hex } from '../../../infra/artifacts/sha256.js';
import { PolicyExport, TrainingRun } from '../../../infra/database/entities/index.js';
import { trainingRunRow } from '../../../infra/database/testing/training-run-row.js';
import { CliError } from '../../cli-error.js';
import { ApiUnreachable } from '../../client/api-errors.js';
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

  /** The connection breaks after so many bytes of a file. */
  const breaking = (name: string, after: number) => {
    const { fetch: usual } = globalThis;
    jest.spyOn(globalThis, 'fetch').mockImplementation(async (url, init) => {
      const response = await usual(url, init);
      if (!(url as URL).pathname.endsWith(name)) return response;
      const bytes = new Uint8Array(await response.arrayBuffer()).subarray(0, after);
      const parts = [bytes];
      const body = new ReadableStream<Uint8Array>({
        pull(stream) {
          const part = parts.pop();
          if (part) stream.enqueue(part);
          else stream.error(new TypeError('terminated'));
        },
      });
      return new Response(body, response);
    });
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
    const id = await completed();
    const to = join(directory, 'planner');
    breaking('model.safetensors', 70_000);
    await expect(cli('download', id, '--to', to)).rejects.toThrow(ApiUnreachable);
    expect(await readdir(directory)).toEqual([`.planner.${id}`]);
    expect((await stat(join(directory, `.planner.${id}`))).mode & 0o777).toBe(0o700);
    jest.restoreAllMocks();
    const requests = watched('model.safetensors');
    await cli('download', id, '--to', to);
    expect(requests).toMatchObject([
      { Range: 'bytes=70000-', 'If-Range': `"${sha256Hex(FILES['model.safetensors'])}"` },
    ]);
    expect(await downloaded(to)).toEqual(FILES);
    expect(await readdir(directory)).toEqual(['planner']);
  });

  describe('where the files gather', () => {
    let id: string;
    let gathering: string;
    let victim: string;
    beforeEach(async () => {
      id = await completed();
      gathering = join(directory, `.planner.${id}`);
      victim = join(directory, 'victim');
      await mkdir(gathering);
      await writeFile(victim, 'mine');
    });
    const refusal = async () => {
      const refused = await cli('download', id, '--to', join(directory, 'planner')).catch((error: Error) => error);
      expect(refused).toBeInstanceOf(CliError);
      expect(await readdir(directory)).not.toContain('planner');
      expect(await readFile(victim, 'utf8')).toBe('mine');
      return (refused as Error).message;
    };
    const removal = (path: string, what: string) => `${path} is ${what}: remove it, then repeat the command.`;

    it.each([
      ['a link', (path: string) => symlink(victim, path)],
      ['a link to nothing', (path: string) => symlink(join(directory, 'nothing'), path)],
      ['a second name of another file', (path: string) => link(victim, path)],
      ['a directory', (path: string) => mkdir(path)],
      ['a pipe', (path: string) => promisify(execFile)('mkfifo', [path])],
    ])('%s is refused in the place of a file', async (_, make) => {
      const path = join(gathering, 'manifest.json');
      await make(path);
      expect(await refusal()).toBe(removal(path, 'not a plain file of yours'));
      expect(await readdir(directory)).not.toContain('nothing');
    });

    it('a link is refused in the place of the directory, and so are a file and the directory of another', async () => {
      const words = removal(gathering, 'not a directory of yours');
      jest.spyOn(process, 'getuid').mockReturnValue(process.getuid!() + 1);
      expect(await refusal()).toBe(words);
      jest.restoreAllMocks();
      await rm(gathering, { recursive: true });
      await mkdir(join(directory, 'elsewhere'));
      await symlink(join(directory, 'elsewhere'), gathering);
      expect(await refusal()).toBe(words);
      expect(await readdir(join(directory, 'elsewhere'))).toEqual([]);
      await rm(gathering);
      await writeFile(gathering, '');
      expect(await refusal()).toBe(words);
    });

    it('what is no file of the export is refused, whenever it comes', async () => {
      const unknown = join(gathering, 'modeling.py');
      await writeFile(unknown, '');
      expect(await refusal()).toBe(removal(unknown, `no file of ${id}`));
      await rm(unknown);
      const { fetch: usual } = globalThis;
      jest.spyOn(globalThis, 'fetch').mockImplementation(async (url, init) => {
        await writeFile(unknown, '');
        return usual(url, init);
      });
      expect(await refusal()).toBe(removal(unknown, `no file of ${id}`));
    });

    it('another download that is writing is not written into', async () => {
      const to = join(directory, 'planner');
      const both = await Promise.allSettled([cli('download', id, '--to', to), cli('download', id, '--to', to)]);
      const lost = both.filter((one) => one.status === 'rejected').map(({ reason }) => String(reason));
      expect(lost).toEqual([expect.stringMatching(/Another download is writing .*: wait until it has ended/)]);
      expect(await downloaded(to)).toEqual(FILES);
    });

    it('a full disk is said in a sentence, and what has arrived is gone on with', async () => {
      const handle = await open(victim);
      const prototype = Object.getPrototypeOf(handle) as FileHandle;
      await handle.close();
      const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', errno: -28, syscall: 'write' });
      jest.spyOn(prototype, 'appendFile').mockRejectedValueOnce(full);
      expect(await refusal()).toBe(
        `${join(gathering, 'manifest.json')} cannot be written: no space left on device. Mend that, then repeat the command to go on.`,
      );
      await cli('download', id, '--to', join(directory, 'planner'));
      expect(await downloaded(join(directory, 'planner'))).toEqual(FILES);
    });
  });

  it('says in a sentence where no directory can be made', async () => {
    const id = await completed();
    const file = join(directory, 'file');
    await writeFile(file, '');
    await symlink(directory, join(directory, 'link'));
    for (const [to, words] of [
      ['/proc/nope/x', '/proc/nope is not a directory: make it, then repeat the command.'],
      [join(directory, 'a', 'b'), `${join(directory, 'a')} is not a directory: make it`],
      [join(file, 'x'), `${file} is not a directory: make it`],
      [join(directory, 'link'), 'is not an empty directory: nothing is overwritten.'],
      ['/proc/x', `/proc/.x.${id} cannot be written: `],
      [join(directory, 'x'.repeat(250)), 'cannot be written: name too long.'],
    ]) {
      const refused = await cli('download', id, '--to', to).catch((error: Error) => error);
      expect(refused).toBeInstanceOf(CliError);
      expect((refused as Error).message).toContain(words);
    }
    expect((await readdir(directory)).toSorted()).toEqual(['file', 'link']);
  });

  it('writes nowhere else, whatever a file is called', async () => {
    const id = await completed();
    for (const name of ['../stolen', '..', '/tmp/stolen']) {
      const files = [{ name, bytes: 1, sha256: 'a'.repeat(64) }];
      await api.database.dataSource.getRepository(PolicyExport).update({ id }, { files });
      await expect(cli('download', id, '--to', join(directory, 'planner'))).rejects.toThrow(
        `${id} names a file "${name}", which is not the name of one.`,
      );
    }
    expect(await readdir(directory)).toEqual([`.planner.${id}`]);
  });

  it('says that a file is damaged on the server', async () => {
    const id = await completed({ ...FILES, 'model.safetensors': FILES['model.safetensors'].subarray(0, 150_000) });
    const to = join(directory, 'planner');
    await expect(cli('download', id, '--to', to)).rejects.toThrow(/is damaged: it has 150000 of 200000 bytes/);
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
