import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, utimes, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Response } from 'supertest';
import type { UploadReport } from '../../contracts/uploaded-dataset.js';
import { FileArtifactStore } from '../../infra/artifacts/file-artifact-store.js';
import { sha256Hex } from '../../infra/artifacts/sha256.js';
import { loadOperatorFile } from '../../infra/config/operator-file.js';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { createApiKey } from '../../infra/database/api-keys.js';
import { IdempotencyKey, TrainingRun, UploadedDataset } from '../../infra/database/entities/index.js';
import { untilSomebodyWaits } from '../../infra/database/testing/lock-wait.js';
import { until } from '../../test/support/started-run.js';
import { TestApi } from '../testing/test-api.js';
import { StoredUploads } from './stored-uploads.js';
import { UPLOAD_BOUNDS } from './upload-body.js';

const TEXT = '{"question":"Who?","answer":"Ada"}\n';
const MOST = 4096;
const REPORT: UploadReport = {
  training: 1,
  held_out: 0,
  families: { one: 1 },
  characters: { median: 4, p95: 4, longest: 4 },
  notes: [],
  findings: [],
  repeated: 0,
  held_out_twice: 0,
  questions_sha256: 'a'.repeat(64),
};

describe('datasets of a project', () => {
  let api: TestApi;
  let theirs: string;

  beforeAll(async () => {
    const operator = loadOperatorFile(join(PROJECT_ROOT, 'infra/local/operator.yaml'));
    api = await TestApi.start({ operator: { ...operator, api: { ...operator.api, dataset_bytes: MOST } } });
    theirs = await createApiKey(api.database.dataSource, 'theirs');
  });
  afterAll(async () => api.stop());
  afterEach(async () => {
    jest.restoreAllMocks();
    for (const table of ['uploaded_datasets', 'training_runs', 'benchmark_evaluations', 'idempotency_keys']) {
      await api.database.dataSource.query(`DELETE FROM ${table}`);
    }
    await api.app.get(StoredUploads).sweep();
    expect(await files()).toEqual([]);
  });

  const rows = () => api.database.dataSource.getRepository(UploadedDataset);
  const files = async () => {
    const directory = join(api.artifacts, 'datasets');
    return existsSync(directory) ? readdir(directory) : [];
  };
  const upload = (query: object, text: string | Buffer = TEXT, type = 'application/jsonl', key?: string) =>
    api.request('post', '/v1/datasets', key).query(query).set('Content-Type', type).send(text);
  /** As the check leaves it. */
  const ready = async (name: string, report: Partial<UploadReport> = {}): Promise<string> => {
    const { body } = await upload({ name, held_out: report.held_out ?? 0 }).expect(201);
    const { id } = (body as { upload: { id: string } }).upload;
    const preview = Array.from({ length: 3 }, (_, i) => ({
      question: `Q${i}`,
      answers: ['Ada'],
      family: 'one',
      choices: null,
      split: 'training' as const,
    }));
    const read = {
      report: { ...REPORT, ...report },
      mistakes: { count: 0, first: [] },
      preview,
      checkedAt: new Date(),
    };
    await rows().update({ id }, { status: 'ready', ...read });
    return id;
  };
  const code = ({ status, body }: Response) => [status, (body as { error?: { code: string } }).error?.code];

  it('stores a file whole under its content, and has it checked', async () => {
    const { body, headers } = await upload({ name: 'mine', question: 'q', answer: ['a', 'b'], held_out: 5 }).expect(
      201,
    );
    expect(headers['location']).toBe('/v1/datasets/mine');
    const sha256 = sha256Hex(TEXT);
    expect(body).toMatchObject({
      id: 'mine',
      object: 'dataset',
      kind: 'uploaded',
      answers: 'text',
      trainable: false,
      check: null,
      upload: {
        status: 'checking',
        format: 'jsonl',
        bytes: TEXT.length,
        sha256,
        columns: { question: 'q', answer: ['a', 'b'] },
        training: null,
      },
    });
    expect(await files()).toEqual([`${sha256}.jsonl`]);
    const { id } = (body as { upload: { id: string } }).upload;
    await until(() => Promise.resolve(api.workflows.calls.some(([call, of]) => call === 'start' && of === id)));
  });

  it('lists what is registered and what is uploaded in one shape, and shows one', async () => {
    await ready('mine');
    await upload({ name: 'theirs' }, TEXT, 'text/csv', theirs).expect(201);
    const { body } = await api.request('get', '/v1/datasets').expect(200);
    const { data } = body as { data: { id: string; upload: object | null }[] };
    expect(data.map(({ id, upload: one }) => [id, one !== null])).toEqual([
      ['atlas', false],
      ['mine', true],
    ]);
    const page = await api.request('get', '/v1/datasets').query({ limit: 1, after: 'atlas' }).expect(200);
    expect(page.body).toMatchObject({ data: [{ id: 'mine' }], has_more: false });
    expect((await api.request('get', '/v1/datasets/mine').expect(200)).body).toMatchObject({
      trainable: true,
      held_out: false,
      check: { questions_sha256: REPORT.questions_sha256, mistakes: [] },
    });
    expect((await api.request('get', '/v1/datasets/atlas').expect(200)).body).toMatchObject({
      check: null,
      upload: null,
    });
    await api.request('get', '/v1/datasets/theirs').expect(404);
  });

  it('shows the first questions, page by page', async () => {
    await ready('mine');
    const read = async (query: object) =>
      (await api.request('get', '/v1/datasets/mine/rows').query(query).expect(200)).body as object;
    expect(await read({ limit: 2 })).toMatchObject({ data: [{ row: 1, question: 'Q0' }, { row: 2 }], has_more: true });
    expect(await read({ after: 2 })).toMatchObject({ data: [{ row: 3 }], has_more: false, last_id: '3' });
    expect(code(await api.request('get', '/v1/datasets/atlas/rows'))).toEqual([409, 'dataset_registered']);
    await upload({ name: 'new' }).expect(201);
    expect(code(await api.request('get', '/v1/datasets/new/rows'))).toEqual([409, 'dataset_checking']);
  });

  it.each<[string, object]>([
    ['a path', { name: '../../etc/passwd' }],
    ['a separator of directories', { name: 'a\\b' }],
    ['capitals', { name: 'Mine' }],
    ['no name', {}],
    ['two names', { name: ['a', 'b'] }],
    ['choices without columns of them', { name: 'mine', answers: 'choice' }],
    ['a separator of numbers', { name: 'mine', answers: 'number', separator: ';' }],
    ['a name of 65 letters', { name: 'a'.repeat(65) }],
    ['a number that is not written in digits', { name: 'mine', held_out: '1e3' }],
    ['an unknown parameter', { name: 'mine', path: '/etc/passwd' }],
  ])('refuses %s before anything is stored', async (_, query) => {
    expect(code(await upload(query))).toEqual([400, 'invalid_request']);
  });

  it.each([
    'application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'text/html',
    'application/zip',
  ])('takes no %s', async (type) => {
    expect(code(await upload({ name: 'mine' }, TEXT, type))).toEqual([415, 'unsupported_content_type']);
  });

  it('says what a name and a number may be', async () => {
    const { text } = await upload({ name: 'a'.repeat(65), held_out: '1e3' }).expect(400);
    expect(text).toContain('name: must be at most 64 lower-case letters');
    expect(text).toContain('held_out: must be a whole number, in digits');
  });

  it.each(['latin1', 'iso-8859-1', 'windows-1252', '"shift_jis"'])(
    'does not take a file for what it is not: charset=%s',
    async (charset) => {
      const refused = await upload({ name: 'mine' }, TEXT, `text/csv; charset=${charset}`);
      expect(code(refused)).toEqual([415, 'unsupported_content_type']);
      expect(refused.text).toContain('It must be UTF-8 or UTF-16');
    },
  );

  it.each(['utf-8', 'UTF-16', 'us-ascii'])('takes charset=%s', async (charset) => {
    await upload({ name: 'mine' }, Buffer.from(TEXT), `text/csv; charset=${charset}`).expect(201);
  });

  it.each(['game24', 'gpqa', 'hotpotqa', 'deepmath'])(
    'is not called %s, which is a computed or published one, whether it is registered or not',
    async (name) => {
      expect(code(await upload({ name }))).toEqual([409, 'dataset_exists']);
      expect(code(await upload({ name }).set('Idempotency-Key', 'once'))).toEqual([409, 'dataset_exists']);
    },
  );

  it('takes no body that is compressed, and none that is empty', async () => {
    const packed = upload({ name: 'mine' }).set('Content-Encoding', 'gzip');
    expect(code(await packed)).toEqual([415, 'unsupported_content_encoding']);
    expect(code(await upload({ name: 'mine' }, ''))).toEqual([400, 'body_missing']);
    expect(code(await api.request('post', '/v1/datasets').query({ name: 'mine' }))).toEqual([400, 'body_missing']);
  });

  it('bounds the file, whether its length is said before or not', async () => {
    await upload({ name: 'fits' }, 'x'.repeat(MOST)).expect(201);
    const large = 'x'.repeat(MOST + 1);
    expect(code(await upload({ name: 'mine' }, large))).toEqual([413, 'body_too_large']);
    const answer = await fetch(`${api.url}/v1/datasets?name=mine`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${api.key}`, 'Content-Type': 'text/csv' },
      body: new Blob([large]).stream(),
      duplex: 'half',
    });
    expect([answer.status, await answer.json()]).toMatchObject([413, { error: { code: 'body_too_large' } }]);
  });

  it('takes a file of no length that is said before', async () => {
    const answer = await fetch(`${api.url}/v1/datasets?name=mine`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${api.key}`, 'Content-Type': 'text/csv' },
      body: new Blob([TEXT]).stream(),
      duplex: 'half',
    });
    expect([answer.status, await answer.json()]).toMatchObject([201, { upload: { sha256: sha256Hex(TEXT) } }]);
  });

  const begin = (name: string): Socket => {
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1').setEncoding('utf8');
    socket.on('error', () => undefined);
    socket.write(
      `POST /v1/datasets?name=${name} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${api.key}\r\n` +
        `Content-Type: application/jsonl\r\nContent-Length: 1000\r\n\r\n${TEXT}`,
    );
    return socket;
  };

  it('leaves nothing of a file whose client goes away', async () => {
    const socket = begin('mine');
    await until(async () => (await files()).length === 1);
    socket.destroy();
    await until(async () => (await files()).length === 0);
    expect(await rows().count()).toBe(0);
  });

  it('waits for a client that sends nothing no longer than its bound', async () => {
    jest.replaceProperty(UPLOAD_BOUNDS, 'idleMs', 200);
    const socket = begin('mine');
    let answer = '';
    socket.on('data', (text: string) => (answer += text));
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1.1 408 .*"code":"request_too_slow"/s);
    expect(await files()).toEqual([]);
  });

  it('says that the disk is full, and keeps nothing', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    jest.spyOn(FileArtifactStore.prototype, 'receive').mockRejectedValue(full);
    expect(code(await upload({ name: 'mine' }))).toEqual([507, 'insufficient_storage']);
    expect(await rows().count()).toBe(0);
  });

  it('gives a name once, also to two uploads at once, and none that the operator has given', async () => {
    const answers = await Promise.all([upload({ name: 'mine' }, 'one'), upload({ name: 'mine' }, 'two')]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409]);
    expect(await files()).toHaveLength(1);
    expect(code(await upload({ name: 'mine' }))).toEqual([409, 'dataset_exists']);
    expect(code(await upload({ name: 'atlas' }))).toEqual([409, 'dataset_exists']);
    await upload({ name: 'mine' }, TEXT, 'text/csv', theirs).expect(201);
  });

  it('is repeated with an Idempotency-Key if name, columns and bytes are the same', async () => {
    const again = (query: object, text = TEXT) => upload(query, text).set('Idempotency-Key', 'once');
    const { body } = await again({ name: 'mine' }).expect(201);
    expect((await again({ name: 'mine' }).expect(200)).body).toEqual(body);
    expect(code(await again({ name: 'mine' }, 'other'))).toEqual([409, 'idempotency_key_reused']);
    expect(code(await again({ name: 'mine', question: 'q' }))).toEqual([409, 'idempotency_key_reused']);
    expect(await files()).toHaveLength(1);
  });

  it('keeps the bytes as long as a dataset has them, whichever project', async () => {
    await upload({ name: 'mine' }).expect(201);
    await upload({ name: 'twin' }).set('Idempotency-Key', 'twin').expect(201);
    await upload({ name: 'mine' }, TEXT, 'application/jsonl', theirs).expect(201);
    await api.request('delete', '/v1/datasets/mine').expect(204);
    await api.request('delete', '/v1/datasets/twin').expect(204);
    expect(await api.database.dataSource.getRepository(IdempotencyKey).count()).toBe(0);
    expect(await files()).toHaveLength(1);
    await api.request('delete', '/v1/datasets/twin').expect(404);
    await api.request('delete', '/v1/datasets/mine', theirs).expect(204);
    expect(await files()).toEqual([]);
    expect(code(await api.request('delete', '/v1/datasets/atlas'))).toEqual([409, 'dataset_registered']);
  });

  it('sweeps up what was left by a process that died, and nothing of an upload that goes on', async () => {
    const socket = begin('mine');
    await until(async () => (await files()).length === 1);
    const directory = join(api.artifacts, 'datasets');
    const dead = join(directory, '.receiving-1-dead');
    await writeFile(dead, 'half');
    await utimes(dead, 0, 0);
    await writeFile(join(directory, `${'b'.repeat(64)}.csv`), 'nobody names it');
    const kept = await ready('kept');
    await api.app.get(StoredUploads).sweep();
    const left = await files();
    expect(left.toSorted()).toEqual([expect.stringMatching(/^\.receiving-/), `${sha256Hex(TEXT)}.jsonl`]);
    expect(await rows().existsBy({ id: kept })).toBe(true);
    socket.destroy();
    await until(async () => (await files()).length === 1);
  });

  describe('in a configuration', () => {
    const RUN = { model: 'tiny-random', steps: 1, evaluation: { dataset: { name: 'atlas' } } };
    const EVALUATION = { model: 'tiny-random', benchmarks: [{ name: 'mine' }] };
    const run = (dataset: object, key?: string) =>
      api.request('post', '/v1/training_runs', key).send({ ...RUN, dataset });
    const message = ({ body }: Response) => (body as { error: { message: string } }).error.message;

    it('is named by runs and evaluations, which say which upload it was, and keep it', async () => {
      const id = await ready('mine', { held_out: 2 });
      const made = (await run({ name: 'mine' }).expect(201)).body as { id: string; config: object };
      expect(made.config).toMatchObject({ dataset: { name: 'mine', upload: id } });
      await run({ name: 'mine', upload: id }).expect(201);
      const { body } = await api.request('post', '/v1/evaluations').send(EVALUATION).expect(201);
      expect(body).toMatchObject({ config: { benchmarks: [{ name: 'mine', upload: id }] } });
      const refused = await api.request('delete', '/v1/datasets/mine');
      expect(code(refused)).toEqual([409, 'dataset_in_use']);
      expect(message(refused)).toContain(`${made.id} (queued)`);
      expect(message(refused)).toContain(`${(body as { id: string }).id} (queued)`);
      const fork = await api.request('post', `/v1/training_runs/${made.id}/fork`).send({});
      expect(message(fork)).not.toContain('dataset');
    });

    it('must be ready, of the project, and have what is asked of it', async () => {
      const id = await ready('mine');
      expect(message(await run({ name: 'mine' }, theirs))).toContain('dataset.name: there is no dataset "mine"');
      expect(message(await run({ name: 'mine', upload: 'dataset-0' }))).toContain(`the upload of this name is ${id}`);
      expect(message(await run({ name: 'atlas', upload: id }))).toContain('"atlas" is no upload');
      expect(message(await run({ name: 'mini' }))).toMatch(
        /Did you mean "mine"\? The operator registered: atlas\. The project uploaded: mine\./,
      );
      expect(message(await api.request('post', '/v1/evaluations').send(EVALUATION))).toContain('no held-out questions');
      const trained = { model: 'tiny-random', steps: 1, dataset: { name: 'mine' }, evaluation: { questions: 1 } };
      expect(message(await api.request('post', '/v1/training_runs').send(trained))).toContain(
        'dataset.name: "mine" has no held-out questions to evaluate on. Upload or register it with held_out, or name ' +
          'another dataset in evaluation.dataset.',
      );
      await rows().update({ id }, { report: { ...REPORT, training: 0 } });
      expect(message(await run({ name: 'mine' }))).toContain('none is left to train on');
      await rows().update({ id }, { status: 'checking' });
      expect(message(await run({ name: 'mine' }))).toContain('is being checked');
      await rows().update({ id }, { status: 'refused' });
      expect(message(await run({ name: 'mine' }))).toContain('holds mistakes');
      // What is wrong with it comes before what else it lacks.
      expect(message(await api.request('post', '/v1/training_runs').send(trained))).toContain('holds mistakes');
    });

    it('is not deleted while a run that names it is being created', async () => {
      await ready('mine');
      const { dataSource } = api.database;
      const lock = dataSource.createQueryRunner();
      await lock.startTransaction();
      await lock.query("SELECT FROM uploaded_datasets WHERE name = 'mine' FOR UPDATE");
      const creating = run({ name: 'mine' }).then((answer) => answer);
      await untilSomebodyWaits(dataSource);
      await lock.query("DELETE FROM uploaded_datasets WHERE name = 'mine'");
      await lock.commitTransaction();
      await lock.release();
      expect(code(await creating)).toEqual([400, 'dataset_deleted']);
      expect(await dataSource.getRepository(TrainingRun).count()).toBe(0);
    });
  });
});
