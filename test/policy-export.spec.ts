import { createHash, randomUUID } from 'node:crypto';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { ApiClient } from '../cli/client/api-client.js';
import type { Export } from '../cli/client/api-types.js';
import { PROJECT_ROOT } from '../infra/config/project-root.js';
import { SupervisedStack, until } from './support/supervised-stack.js';

jest.setTimeout(600_000);

const CONFIG = {
  model: 'tiny-random',
  steps: 1,
  dataset: { families: { arithmetic: 1 } },
  training: { queries_per_step: 2, group_size: 2 },
  evaluation: { questions: 2, yardsticks: false },
};

describe('an export of a policy', () => {
  const stack = new SupervisedStack();
  const work = mkdtempSync(join(tmpdir(), 'agentflow-export-'));
  let client: ApiClient;
  let policy: string;
  /** What `agentflow export` writes, by whether it is merged. */
  const expected = new Map<boolean, Record<string, Buffer>>();

  beforeAll(async () => {
    await stack.start();
    client = await stack.client();
    const { id } = await client.createRun({ body: JSON.stringify(CONFIG), contentType: 'application/json' });
    await until('the run has ended', async () => !['queued', 'running'].includes((await client.getRun(id)).status));
    expect(await client.getRun(id)).toMatchObject({ status: 'completed' });
    policy = `${id}@1`;
    for (const merged of [false, true]) expected.set(merged, await exportedByCommand(merged));
  });
  afterAll(async () => {
    await stack.remove();
    rmSync(work, { recursive: true, force: true });
  });

  it.each([false, true])(
    'has the bytes of `agentflow export` over a trainer killed while it writes, and an API between two parts; merged: %s',
    async (merged) => {
      const { id, writer } = await beginWriting(merged);
      await until('it is told to be made', async () => (await client.getExport(id)).status === 'running');
      await kill('trainer');
      process.kill(writer, 'SIGCONT');
      await until('the writer has ended with its trainer', () => Promise.resolve(!isThere(writer)));

      const made = await ended(id);
      expect(made.status).toBe('completed');
      expect(readdirSync(directory(id))).toEqual(['files']);

      const halves = await Promise.all(made.files.map((file) => part(id, file.name, 0, Math.ceil(file.bytes / 2))));
      await kill('api');
      await until('the API is back', async () => client.getExport(id).then(Boolean, () => false));
      const downloaded: Record<string, Buffer> = {};
      for (const [at, { name, bytes, sha256 }] of made.files.entries()) {
        const rest = await part(id, name, halves[at].length, bytes, `"${sha256}"`);
        downloaded[name] = Buffer.concat([halves[at], rest]);
        expect(sha256Of(downloaded[name])).toBe(sha256);
      }
      expect(comparable(downloaded)).toEqual(comparable(expected.get(merged)!));
      expect((await client.getExport(id)).files).toEqual(made.files);
    },
  );

  it('leaves nothing if it is cancelled while it is made, and goes with its files when it is deleted', async () => {
    const { id, writer } = await beginWriting(true);
    await client.changeExport(id, 'cancel');
    await until('the writer is gone', () => Promise.resolve(!isThere(writer)));
    expect(await ended(id)).toMatchObject({ status: 'cancelled', files: [] });
    expect(existsSync(directory(id)) ? readdirSync(directory(id)) : []).toEqual([]);

    await client.changeExport(id, 'revive');
    expect(await ended(id)).toMatchObject({ status: 'completed' });
    await client.deleteExport(id);
    await until('its files are gone', () => Promise.resolve(!existsSync(directory(id))));
    await expect(client.getExport(id)).rejects.toThrow(id);
  });

  const directory = (id: string) => join(stack.data, 'artifacts/exports', id);

  async function ended(id: string): Promise<Export> {
    const isOver = async () => !['queued', 'running'].includes((await client.getExport(id)).status);
    await until('the export has ended', isOver);
    return client.getExport(id);
  }

  /** An export whose process is stopped when a part of the files lies there. One that is too quick to stop is followed by another. */
  async function beginWriting(merged: boolean): Promise<{ id: string; writer: number }> {
    for (;;) {
      const { id } = await client.exportPolicy(policy, merged, randomUUID());
      const find = () => childrenOf(stack.pid('trainer')).find((pid) => commandLine(pid).includes('spawn_main'));
      await until('the export is being made', () => Promise.resolve(find() !== undefined), 5);
      const writer = find()!;
      if (await stopWriting(writer, id)) return { id, writer };
      expect(await ended(id)).toMatchObject({ status: 'completed' });
    }
  }

  /** Lets the process go on a little at a time. False if it has ended meanwhile. */
  async function stopWriting(writer: number, id: string): Promise<boolean> {
    while (isThere(writer)) {
      process.kill(writer, 'SIGSTOP');
      if (isHalfWritten(id)) return true;
      process.kill(writer, 'SIGCONT');
      await sleep(1);
    }
    return false;
  }

  function isHalfWritten(id: string): boolean {
    const names = existsSync(directory(id)) ? readdirSync(directory(id)) : [];
    return names.some((name) => name.startsWith('.files.tmp-') && readdirSync(join(directory(id), name)).length > 0);
  }

  /** SIGKILL to a part; the supervisor starts another one. */
  async function kill(part: 'api' | 'trainer'): Promise<void> {
    const killed = stack.pid(part);
    process.kill(killed, 'SIGKILL');
    await until(`${part} is another process`, () => Promise.resolve(stack.pid(part) !== killed));
  }

  /** Bytes of a file from one on, up to another. */
  async function part(id: string, name: string, from: number, to: number, ifRange?: string): Promise<Buffer> {
    const { url, key } = client.access;
    const answer = await fetch(`${url}/v1/exports/${id}/files/${name}`, {
      headers: {
        authorization: `Bearer ${key}`,
        connection: 'close', // one to a killed API is not to be used again
        range: `bytes=${from}-${to - 1}`,
        ...(ifRange === undefined ? {} : { 'if-range': ifRange }),
      },
    });
    expect({ name, status: answer.status }).toEqual({ name, status: 206 });
    return Buffer.from(await answer.arrayBuffer());
  }

  async function exportedByCommand(merged: boolean): Promise<Record<string, Buffer>> {
    const to = join(work, `merged-${merged}`);
    const args = ['dist/cli/main.js', 'export', policy, '--to', to, ...(merged ? ['--merged'] : [])];
    const env = { ...process.env, ...stack.environment() };
    await promisify(execFile)(process.execPath, args, { cwd: PROJECT_ROOT, env });
    const names = readdirSync(to).toSorted();
    return Object.fromEntries(names.map((name) => [name, readFileSync(join(to, name))]));
  }
});

/**
 * Files as they can be compared. Where the base model lies differs: a download names the model, `agentflow export` its
 * directory. The README of an adapter holds the digest of its configuration, and the manifest those of both.
 */
function comparable({ 'adapter_config.json': adapter, ...files }: Record<string, Buffer>): Record<string, unknown> {
  if (!adapter) return digestsOf(files);
  const { 'README.md': readme, 'manifest.json': manifest, ...others } = files;
  const without = (text: string, ...named: Buffer[]) =>
    named.reduce((rest, file) => rest.replaceAll(sha256Of(file), ''), text);
  return {
    ...digestsOf(others),
    adapter: { ...(JSON.parse(adapter.toString()) as object), base_model_name_or_path: '' },
    readme: without(readme.toString(), adapter),
    manifest: without(manifest.toString(), adapter, readme),
  };
}

function digestsOf(files: Record<string, Buffer>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, content]) => [name, sha256Of(content)]));
}

const sha256Of = (content: Buffer) => createHash('sha256').update(content).digest('hex');

function childrenOf(pid: number): number[] {
  const tasks = isThere(pid) ? readdirSync(`/proc/${pid}/task`) : [];
  return tasks.flatMap((task) => textOf(`/proc/${pid}/task/${task}/children`).split(' ').filter(Boolean).map(Number));
}

const isThere = (pid: number) => existsSync(`/proc/${pid}`);
const commandLine = (pid: number) => textOf(`/proc/${pid}/cmdline`);

/** Empty of a process that has ended. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
