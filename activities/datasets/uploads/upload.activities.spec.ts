import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { UploadLayout } from '../../../contracts/uploaded-dataset.js';
import { ArtifactCorrupt, ArtifactMissing } from '../../../infra/artifacts/artifact-store.js';
import { FileArtifactStore } from '../../../infra/artifacts/file-artifact-store.js';
import { ProjectEvent, UploadedDataset } from '../../../infra/database/entities/index.js';
import { createTestDatabase, type TestDatabase } from '../../../infra/database/testing/test-database.js';
import { jsonLines } from '../testing/files.js';
import { READ_LIMITS, readInChild } from './read-in-child.js';
import { createUploadActivities, type UploadDependencies } from './upload.activities.js';

/** Each read starts a Node process, on a machine that may be busy. */
const PATIENCE = 120_000;
const LAYOUT: UploadLayout = { columns: { question: 'question', answer: ['answer'] }, answers: 'text', held_out: 0 };
const GOOD = { question: 'Who wrote it?', answer: 'Verne' };

describe('the activity that checks an uploaded dataset', () => {
  let database: TestDatabase;
  let directory: string;
  let artifacts: FileArtifactStore;

  beforeAll(async () => {
    database = await createTestDatabase();
    directory = await mkdtemp(join(tmpdir(), 'agentflow-check-'));
    artifacts = new FileArtifactStore(directory);
  });
  afterAll(async () => {
    await database.drop();
    await rm(directory, { recursive: true });
  });

  const add = async (id: string, rows: readonly object[]) => {
    const stored = await artifacts.writeFile(`datasets/${id}.jsonl`, Buffer.from(jsonLines(rows)));
    const { uri, sha256, bytes } = stored;
    const row = { id, project: 'default', name: id, format: 'jsonl', layout: LAYOUT, uri, sha256, bytes } as const;
    await database.dataSource.getRepository(UploadedDataset).insert({ ...row, status: 'checking' });
    return fileURLToPath(uri);
  };
  const check = (id: string, dependencies: Partial<UploadDependencies> = {}) => {
    const activities = createUploadActivities({ dataSource: database.dataSource, artifacts, ...dependencies });
    return new MockActivityEnvironment().run(activities.checkUpload, { id });
  };
  const found = (id: string) => database.dataSource.getRepository(UploadedDataset).findOneByOrFail({ id });
  const events = async (subject: string) => {
    const told = await database.dataSource.getRepository(ProjectEvent).findBy({ subject });
    return told.map(({ type, data }) => ({ type, data }));
  };

  it(
    'writes what is in it, and tells the project once, however often it is called',
    async () => {
      await add('good', [GOOD]);
      await Promise.all([check('good'), check('good')]);
      const once = await found('good');
      expect(once).toMatchObject({ status: 'ready', report: { training: 1 }, mistakes: { count: 0 } });
      const data = { name: 'good', training: 1, held_out: 0, questions_sha256: once.report?.questions_sha256 };
      expect(await events('good')).toEqual([{ type: 'dataset.ready', data }]);
      await check('good');
      expect(await found('good')).toEqual(once);
    },
    PATIENCE,
  );

  it(
    'refuses the whole for one mistake, and keeps what was found',
    async () => {
      await add('mixed', [GOOD, { question: 'When?' }]);
      await check('mixed');
      const row = await found('mixed');
      expect(row).toMatchObject({ status: 'refused', report: { training: 1 }, mistakes: { count: 1 } });
      const data = { name: 'mixed', mistakes: 1, message: row.mistakes?.first[0].message };
      expect(await events('mixed')).toEqual([{ type: 'dataset.refused', data }]);
    },
    PATIENCE,
  );

  it('brings back nothing that was deleted while it was read', async () => {
    await add('gone', [GOOD]);
    const read: typeof readInChild = async () => {
      await database.dataSource.getRepository(UploadedDataset).delete({ id: 'gone' });
      return { report: null, preview: [], mistakes: { count: 1, first: [] } };
    };
    await check('gone', { read });
    expect(await database.dataSource.getRepository(UploadedDataset).existsBy({ id: 'gone' })).toBe(false);
    expect(await events('gone')).toEqual([]);
    await check('never');
  });

  it('decides nothing if the file is not there or is another one, or its reader was ended by somebody', async () => {
    const path = await add('lost', [GOOD]);
    await expect(check('lost', { read: () => Promise.reject(new Error('ended with SIGTERM')) })).rejects.toThrow(
      'SIGTERM',
    );
    await writeFile(path, 'other');
    await expect(check('lost')).rejects.toThrow(ArtifactCorrupt);
    await rm(path);
    await expect(check('lost')).rejects.toThrow(ArtifactMissing);
    expect(await found('lost')).toMatchObject({ status: 'checking', mistakes: null, checkedAt: null });
  });
});

describe(readInChild, () => {
  let directory: string;
  let path: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'agentflow-read-'));
    path = join(directory, `${'a'.repeat(64)}.jsonl`);
    const many = Array.from({ length: 200_000 }, (_, i) => ({ question: `Question ${i}?`, answer: `${i}` }));
    await writeFile(path, jsonLines(many));
  });
  afterAll(async () => rm(directory, { recursive: true }));

  const file = () => ({ path, name: 'mine', layout: LAYOUT });
  const live = () => new AbortController().signal;

  it.each([
    ['memory, as the system counts it', { megabytes: 20 }, 'Reading the file takes more than 20 MB of memory'],
    ['memory, as V8 counts it', { heap: 32 }, 'Reading the file takes more than 4096 MB of memory'],
    ['time on the wall', { seconds: 0.01 }, 'Reading the file takes more than 0.01 s'],
    ['time of the processor', { cpuSeconds: 0.01 }, 'Reading the file takes more than'],
  ])(
    'ends a reader that takes more %s than it may, and refuses the file in words',
    async (_, limits, says) => {
      const { report, preview, mistakes } = await readInChild(file(), live(), { ...READ_LIMITS, ...limits });
      expect([report, preview, mistakes.count]).toEqual([null, [], 1]);
      expect(mistakes.first[0]).toMatchObject({ row: null, column: null, message: expect.stringContaining(says) });
      expect(mistakes.first[0].message).toMatch(/Upload it in parts\.$/);
    },
    PATIENCE,
  );

  it(
    'ends it with the signal, which is nothing about the file',
    async () => {
      const cancel = new AbortController();
      const reading = readInChild(file(), cancel.signal);
      setImmediate(() => cancel.abort());
      await expect(reading).rejects.toThrow(/abort/i);
      await expect(readInChild(file(), cancel.signal)).rejects.toThrow(/abort/i);
    },
    PATIENCE,
  );
});
