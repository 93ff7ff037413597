import { appendFile, mkdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { SetExportStatusInput } from '../../contracts/policy-export.js';
import { exportedFile } from '../../infra/artifacts/run-directory.js';
import { sha256Hex } from '../../infra/artifacts/sha256.js';
import { createApiKey } from '../../infra/database/api-keys.js';
import { PolicyExport, ProjectEvent, TrainingRun } from '../../infra/database/entities/index.js';
import { writeExportStatus } from '../../infra/database/export-status.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import { until } from '../../test/support/started-run.js';
import { ReconcilerService } from '../submissions/reconciler.service.js';
import { RemovalsService } from '../submissions/removal/removals.service.js';
import { everything } from '../submissions/removal/testing/owned.js';
import { TestApi } from '../testing/test-api.js';
import type { ExportDto } from './export.dto.js';
import { ExportsController } from './exports.controller.js';

const SHA = 'a'.repeat(64);
const BYTES = Buffer.from(Array.from({ length: 100_000 }, (_, n) => n % 251));

/*
 * What users of such downloads found: the rest of a file appended although the server sent the whole of it
 * (elizaOS/eliza#29454), or another file (BitMiracle-AI/Dormice#86), or another part (xroche/httrack#428); half a file
 * that counts as whole (huggingface/transformers#2780, oobabooga/textgen#3640); and exports that nobody could delete
 * (NovaSky-AI/SkyRL#1834).
 */
describe(ExportsController, () => {
  let api: TestApi;
  let run: string;
  let policy: string;

  beforeAll(async () => {
    api = await TestApi.start();
  });
  afterAll(async () => api.stop());
  beforeEach(async () => {
    api.workflows.failure = undefined;
    api.workflows.goneWorkflow = undefined;
    const row = trainingRunRow({ status: 'completed' });
    run = row.id;
    await api.database.dataSource.getRepository(TrainingRun).insert(row);
    policy = await api.commitPolicy(run, 3, SHA);
  });

  const create = async (body?: object): Promise<ExportDto> =>
    (await api.request('post', `/v1/policies/${policy}/export`).send(body).expect(201)).body as ExportDto;
  const get = async (id: string): Promise<ExportDto> =>
    (await api.request('get', `/v1/exports/${id}`).expect(200)).body as ExportDto;
  /** As the workflow writes it. */
  const write = async (id: string, status: Pick<SetExportStatusInput, 'version' | 'status' | 'files' | 'failure'>) => {
    const { workflow } = await api.database.dataSource.getRepository(PolicyExport).findOneByOrFail({ id });
    const writer = { token: workflow, execution: workflow! };
    await writeExportStatus(api.database.dataSource, { id, writer, ...status });
  };
  const complete = async (id: string): Promise<void> => {
    await write(id, { version: 1, status: 'running' });
    const path = join(api.artifacts, exportedFile(id, 'model.safetensors'));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, BYTES);
    const files = [{ name: 'model.safetensors', bytes: BYTES.length, sha256: sha256Hex(BYTES) }];
    await write(id, { version: 2, status: 'completed', files });
  };
  const completed = async (): Promise<string> => {
    const { id } = await create();
    await complete(id);
    return id;
  };
  const download = (id: string, headers: Record<string, string> = {}, name = 'model.safetensors') =>
    api.request('get', `/v1/exports/${id}/files/${name}`).set(headers).buffer().parse(collect);
  const gone = () => {
    api.workflows.goneWorkflow = { reason: 'it completed', cancelled: false };
  };

  it('is queued, started once, shown, and completed with its files', async () => {
    const body = await create({ merged: true });
    expect(body).toMatchObject({ object: 'export', status: 'queued', policy, policy_sha256: SHA, merged: true });
    expect(body).toMatchObject({ files: [], failure: null, started_at: null, finished_at: null });
    expect(api.workflows.calls).toContainEqual(['start', body.id]);
    await complete(body.id);
    const shown = await get(body.id);
    expect(shown).toMatchObject({ status: 'completed', finished_at: expect.any(String) });
    expect(shown.files).toEqual([{ name: 'model.safetensors', bytes: BYTES.length, sha256: sha256Hex(BYTES) }]);
    expect((await create()).merged).toBe(false);
  });

  it('is created once for a key, and the same key for another policy or body is refused', async () => {
    const post = (body: object, of = policy) =>
      api.request('post', `/v1/policies/${of}/export`).set('Idempotency-Key', `key-${run}`).send(body);
    const [first, second] = await Promise.all([post({}), post({})]);
    expect([first.status, second.status].toSorted()).toEqual([200, 201]);
    expect((first.body as ExportDto).id).toBe((second.body as ExportDto).id);
    expect((await post({ merged: true })).status).toBe(409);
    expect((await post({}, await api.commitPolicy(run, 4, SHA))).status).toBe(409);
  });

  it('refuses what is collected or unknown, and any other key', async () => {
    const collected = join(api.artifacts, 'runs', run, 'policies');
    await rename(join(collected, '000003'), join(collected, '.withdrawn-000003-ab'));
    const { body } = await api.request('post', `/v1/policies/${policy}/export`).expect(400);
    expect(body).toMatchObject({ error: { code: 'policy_collected', param: 'id' } });
    for (const [unknown, words] of [
      ['@9', '.'],
      ['@03', ': a policy is named <run>@<step>, as in run-abc@12.'],
      ['', ': a policy is named <run>@<step>, as in run-abc@12.'],
    ]) {
      const { body: told } = await api.request('post', `/v1/policies/${run}${unknown}/export`).expect(404);
      const message = `There is no policy "${run}${unknown}"${words}`;
      expect(told).toMatchObject({ error: { code: 'policy_not_found', message } });
    }
    await api.request('post', `/v1/policies/${policy}/export`).send({ merge: true }).expect(400);
    expect(await api.database.dataSource.getRepository(PolicyExport).countBy({ policyName: policy })).toBe(0);
  });

  it('needs a key that may submit, and of another project finds nothing', async () => {
    const id = await completed();
    const reader = await createApiKey(api.database.dataSource, 'default', { scopes: ['read'] });
    await api.request('post', `/v1/policies/${policy}/export`, reader).expect(403);
    await api.request('get', `/v1/exports/${id}/files/model.safetensors`, reader).expect(200);
    const theirs = await createApiKey(api.database.dataSource, 'theirs');
    for (const path of ['', '/files/model.safetensors']) {
      await api.request('get', `/v1/exports/${id}${path}`, theirs).expect(404);
    }
    expect((await api.request('get', '/v1/exports', theirs).expect(200)).body).toMatchObject({ data: [] });
  });

  it('lists by status and policy, in pages', async () => {
    const ids = [(await create()).id, await completed(), (await create()).id];
    const list = async (query: object) =>
      (
        await api
          .request('get', '/v1/exports')
          .query({ policy, ...query })
          .expect(200)
      ).body as {
        data: ExportDto[];
        has_more: boolean;
      };
    expect((await list({})).data.map(({ id }) => id)).toEqual(ids.toReversed());
    expect((await list({ status: 'completed' })).data.map(({ id }) => id)).toEqual([ids[1]]);
    expect(await list({ limit: 2 })).toMatchObject({ has_more: true });
    expect((await list({ after: ids[1] })).data.map(({ id }) => id)).toEqual([ids[0]]);
    expect((await list({ policy: `${run}@4` })).data).toEqual([]);
  });

  it('is started by the reconciler if Temporal did not answer', async () => {
    api.workflows.failure = Object.assign(new Error('unreachable'), { code: 14, details: '', metadata: {} });
    const { id, status } = await create();
    expect(status).toBe('queued');
    api.workflows.failure = undefined;
    await api.app.get(ReconcilerService).reconcile();
    expect(api.workflows.calls).toContainEqual(['start', id]);
  });

  it('tells its project of each status, so that webhooks do', async () => {
    const id = await completed();
    const failed = (await create()).id;
    await write(failed, { version: 1, status: 'running' });
    await write(failed, { version: 2, status: 'failed', failure: { type: 'DiskFull', message: 'no room' } });
    const told = () =>
      api.database.dataSource.getRepository(ProjectEvent).findBy([{ subject: id }, { subject: failed }]);
    const of = async (subject: string) =>
      (await told()).filter((event) => event.subject === subject).map(({ type }) => type);
    expect(await of(id)).toEqual(['export.queued', 'export.running', 'export.completed']);
    expect(await of(failed)).toEqual(['export.queued', 'export.running', 'export.failed']);
    expect((await told()).find(({ type }) => type === 'export.failed')?.data).toMatchObject({
      failure: { type: 'DiskFull', message: 'no room' },
    });
    await until(async () => (await api.request('get', '/v1/events').expect(200)).text.includes('export.failed'));
  });

  it('that has failed is tried again when it is revived; one that is completed is not', async () => {
    const { id } = await create();
    await write(id, { version: 1, status: 'running' });
    await write(id, { version: 2, status: 'failed', failure: { type: 'DiskFull', message: 'no room' } });
    gone();
    const { body } = await api.request('post', `/v1/exports/${id}/revive`).expect(200);
    expect(body).toMatchObject({ status: 'queued', failure: null });
    await api.request('post', `/v1/exports/${await completed()}/revive`).expect(409);
  });

  describe('a download', () => {
    it('is the file, with its length, its name, and its sha256 as ETag; HEAD says the same', async () => {
      const id = await completed();
      const { body, headers } = await download(id).expect(200);
      expect(BYTES.equals(body as Buffer)).toBe(true);
      const said = {
        'content-length': String(BYTES.length),
        'content-type': 'application/octet-stream',
        'content-disposition': 'attachment; filename=model.safetensors',
        etag: `"${sha256Hex(BYTES)}"`,
        'accept-ranges': 'bytes',
      };
      expect(headers).toMatchObject(said);
      const response = await fetch(`${api.url}/v1/exports/${id}/files/model.safetensors`, {
        method: 'HEAD',
        headers: { Authorization: `Bearer ${api.key}` },
      });
      expect(Object.fromEntries(response.headers)).toMatchObject(said);
    });

    it('goes on where it broke, and begins anew if the file is another', async () => {
      const id = await completed();
      const etag = `"${sha256Hex(BYTES)}"`;
      const rest = await download(id, { Range: 'bytes=70000-', 'If-Range': etag }).expect(206);
      expect(BYTES.subarray(70_000).equals(rest.body as Buffer)).toBe(true);
      expect(rest.headers).toMatchObject({ 'content-range': `bytes 70000-99999/${BYTES.length}`, etag });
      const anew = await download(id, { Range: 'bytes=70000-', 'If-Range': '"another"' }).expect(200);
      expect(BYTES.equals(anew.body as Buffer)).toBe(true);
      await download(id, { 'If-None-Match': etag }).expect(304);
    });

    it('refuses a part that is not there, in the shape of errors, without the name of a file', async () => {
      const id = await completed();
      const { body, headers } = await api
        .request('get', `/v1/exports/${id}/files/model.safetensors`)
        .set('Range', 'bytes=100000-')
        .expect(416);
      const message = `model.safetensors has ${BYTES.length} bytes: Range asks for none of them.`;
      expect(body).toMatchObject({ error: { code: 'request_refused', message } });
      expect(headers).toMatchObject({ 'content-range': `bytes */${BYTES.length}` });
      expect(headers).not.toHaveProperty('content-disposition');
    });

    it.each([
      ['is missing', (path: string) => rm(path), 'it is missing'],
      ['is missing with its directory', (path: string) => rm(dirname(path), { recursive: true }), 'it is missing'],
      ['is cut short', (path: string) => truncate(path, 5), `it has 5 of ${BYTES.length} bytes`],
      ['is empty', (path: string) => truncate(path), `it has 0 of ${BYTES.length} bytes`],
      ['is too long', (path: string) => appendFile(path, 'x'), `it has ${BYTES.length + 1} of ${BYTES.length} bytes`],
    ])('of a file that %s says so, without its path, before the first byte', async (_, damage, what) => {
      const id = await completed();
      await damage(join(api.artifacts, exportedFile(id, 'model.safetensors')));
      const etag = `"${sha256Hex(BYTES)}"`;
      const path = `/v1/exports/${id}/files/model.safetensors`;
      for (const headers of [{}, { Range: 'bytes=70000-', 'If-Range': etag }, { 'If-None-Match': etag }]) {
        const answer = await api.request('get', path).set(headers).expect(500);
        expect(answer.body).toMatchObject({
          error: {
            type: 'server_error',
            code: 'export_damaged',
            message: `The API's copy of model.safetensors of ${id} is damaged: ${what}. Export the policy again.`,
          },
        });
        expect(answer.headers.etag).not.toBe(etag);
        expect(answer.headers).not.toHaveProperty('content-disposition');
      }
      const { status } = await fetch(`${api.url}${path}`, {
        method: 'HEAD',
        headers: { Authorization: `Bearer ${api.key}` },
      });
      expect(status).toBe(500);
    });

    it.each(['other.json', '..%2f..%2fmanifest.json', '.files.tmp-1-ab', '%00', '__proto__'])(
      'of %s, which is not among the files, is 404',
      async (name) => {
        const id = await completed();
        await api.request('get', `/v1/exports/${id}/files/${name}`).expect(404);
      },
    );

    it('is 404 until the export is completed, and says how it stands', async () => {
      const { id } = await create();
      const { body } = await api.request('get', `/v1/exports/${id}/files/model.safetensors`).expect(404);
      const message = `${id} has no file "model.safetensors"; it is queued.`;
      expect(body).toMatchObject({ error: { code: 'export_file_not_found', message } });
    });
  });

  describe('a deletion', () => {
    it('waits for the end, then leaves no file, no row and no event; it may be repeated', async () => {
      const { id } = await create();
      await api.request('delete', `/v1/exports/${id}`).expect(409);
      await complete(id);
      await api.request('delete', `/v1/exports/${id}`).expect(409);
      gone();
      await api.request('delete', `/v1/exports/${id}`).expect(202);
      await api.request('get', `/v1/exports/${id}`).expect(404);
      await api.app.get(RemovalsService).proceed();
      await api.request('delete', `/v1/exports/${id}`).expect(204);
      const left = await everything(api.database.dataSource, api.artifacts);
      expect(left.filter((row) => row.includes(id))).toEqual([]);
    });

    it('of its run is refused while it is made, and leaves it alone once it is there', async () => {
      const { id } = await create();
      gone();
      const { body } = await api.request('delete', `/v1/training_runs/${run}`).expect(409);
      const message: unknown = expect.stringContaining(`${id} (queued) exports its policy ${policy}`);
      expect(body).toMatchObject({ error: { code: 'training_run_in_use', message } });
      await complete(id);
      await api.request('delete', `/v1/training_runs/${run}`).expect(202);
      await api.app.get(RemovalsService).proceed();
      await api.request('delete', `/v1/training_runs/${run}`).expect(204);
      expect(BYTES.equals((await download(id).expect(200)).body as Buffer)).toBe(true);
    });
  });
});

/** The bytes of an answer. What superagent hands over is the stream, whatever its types say. */
function collect(response: unknown, done: (error: Error | null, body: Buffer) => void): void {
  const parts: Buffer[] = [];
  const stream = response as NodeJS.ReadableStream;
  stream.on('data', (part: Buffer) => parts.push(part));
  stream.on('end', () => done(null, Buffer.concat(parts)));
}
