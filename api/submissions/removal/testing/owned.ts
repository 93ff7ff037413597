import { randomBytes, randomInt } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DataSource, EntityMetadata } from 'typeorm';
import type { ImageRef } from '../../../../contracts/flow.js';
import { exportDirectory, exportedFile } from '../../../../infra/artifacts/run-directory.js';
import { sha256Hex } from '../../../../infra/artifacts/sha256.js';
import {
  AgentFlow,
  AuditEntry,
  BenchmarkEvaluation,
  PolicyExport,
  PolicyPin,
  ProjectEvent,
  Removal,
  TrainingRun,
  UsageEntry,
} from '../../../../infra/database/entities/index.js';
import { trainingRunRow } from '../../../../infra/database/testing/training-run-row.js';

/** Rows that a test's run has in each table; one in a table whose key is the run alone. */
const ROWS = 3;

/** Files of a run in the artifact store: whole ones, ones that are being collected, and what a killed process left. */
const FILES = [
  'batches/000001.arrow',
  'batches/000001.arrow.tmp-1-aa',
  'policies/000000/manifest.json',
  'policies/000000/adapter_model.safetensors',
  'policies/.withdrawn-000001-aa/manifest.json',
  'checkpoints/000000/optimizer.safetensors',
  'checkpoints/.broken-000001/manifest.json',
];

const VALUES: Record<string, (n: number) => unknown> = {
  text: (n) => `text ${n}`,
  int: (n) => n,
  bigint: (n) => n,
  jsonb: () => '{}',
  'double precision': (n) => n,
  timestamptz: () => '2026-01-01T00:00:00Z',
};

/**
 * A run that has ended, with rows in every table that can hold some of a run, and with files. None of its policies is
 * pinned: it could not be deleted.
 * @returns its id
 */
export async function addEndedRun(dataSource: DataSource, artifacts: string): Promise<string> {
  const run = trainingRunRow({ status: 'completed' });
  await dataSource.getRepository(TrainingRun).insert(run);
  const holding = dataSource.entityMetadatas.filter(({ target }) => target !== PolicyPin);
  for (const entity of holding) await addRows(dataSource, entity, run.id);
  for (const file of FILES) await add(join(artifacts, 'runs', run.id, file), `${file} of ${run.id}`);
  return run.id;
}

/** A question that has ended, with a picture of its own and one that all such questions have. @returns its id */
export async function addEndedFlow(dataSource: DataSource, artifacts: string): Promise<string> {
  const id = `flow-${randomBytes(5).toString('hex')}`;
  const images = await Promise.all([id, 'all'].map((content) => addImage(artifacts, content)));
  const asked = { question: 'Why?', dataset: { name: 'atlas', seed: 7 }, model: 'tiny-random', config: {} as never };
  const ended = { status: 'completed', finishedAt: new Date() } as const;
  await dataSource.getRepository(AgentFlow).insert({ id, project: 'default', ...asked, ...ended, images });
  for (const entity of dataSource.entityMetadatas) await addRows(dataSource, entity, id);
  return id;
}

/** An evaluation on benchmarks that has ended. @returns its id */
export async function addEndedEvaluation(dataSource: DataSource): Promise<string> {
  const id = `eval-${randomBytes(5).toString('hex')}`;
  const config = { policies: ['base'] } as never;
  await dataSource
    .getRepository(BenchmarkEvaluation)
    .insert({ id, project: 'default', name: 'test', config, status: 'completed', finishedAt: new Date() });
  for (const entity of dataSource.entityMetadatas) await addRows(dataSource, entity, id);
  return id;
}

/** An export that has ended, with its files and what a killed attempt left. @returns its id */
export async function addEndedExport(dataSource: DataSource, artifacts: string): Promise<string> {
  const id = `export-${randomBytes(5).toString('hex')}`;
  const made = { policyName: 'run-1@1', policySha256: 'ab', merged: false, files: [] };
  await dataSource
    .getRepository(PolicyExport)
    .insert({ id, project: 'default', ...made, status: 'completed', finishedAt: new Date() });
  for (const entity of dataSource.entityMetadatas) await addRows(dataSource, entity, id);
  await add(join(artifacts, exportedFile(id, 'manifest.json')), `manifest of ${id}`);
  await add(join(artifacts, exportDirectory(id), '.files.tmp-1-ab', 'model.safetensors'), `half of ${id}`);
  return id;
}

async function addImage(artifacts: string, content: string): Promise<ImageRef> {
  const sha256 = sha256Hex(content);
  const path = join(artifacts, 'images', sha256);
  await add(path, content);
  return { uri: pathToFileURL(path).href, sha256, mediaType: 'image/png' };
}

async function add(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

/** More turns than one transaction deletes. */
export async function addManyTurns(dataSource: DataSource, id: string, count: number): Promise<void> {
  await dataSource.query(
    `INSERT INTO turns (flow_id, turn, module, output) SELECT $1 || '/9/0/' || n, 1, 'planner', '{}' FROM generate_series(1, $2::int) AS n`,
    [id, count],
  );
}

/** Rows of a table, if it can hold some of what has this id. */
export async function addRows(
  dataSource: DataSource,
  { tableName, columns }: EntityMetadata,
  id: string,
): Promise<void> {
  const names = columns.map(({ databaseName }) => databaseName);
  if (!['run_id', 'flow_id', 'subject'].some((column) => names.includes(column))) return;
  const filled = columns.filter((column) => !column.isNullable && column.default === undefined && !column.isGenerated);
  for (let n = 0; n < ROWS; n++) {
    const values = filled.map(({ databaseName, type }) => {
      if (databaseName === 'run_id' || databaseName === 'subject') return id;
      // The other events of the project have the first ones.
      if (databaseName === 'sequence' && tableName === 'project_events') return randomInt(2 ** 40, 2 ** 41);
      if (databaseName === 'project') return 'default';
      if (databaseName === 'flow_id' || databaseName === 'id') return `${id}/1/0/${n}`;
      if (databaseName === 'key') return `${id} ${n}`;
      return VALUES[String(type)](n);
    });
    const list = filled.map(({ databaseName }) => databaseName).join(', ');
    const places = values.map((_, i) => `$${i + 1}`).join(', ');
    await dataSource.query(`INSERT INTO ${tableName} (${list}) VALUES (${places}) ON CONFLICT DO NOTHING`, values);
  }
}

/** Every row of every table and every file, as texts, except what tells of removals, of requests and of what was used. */
export async function everything(dataSource: DataSource, artifacts: string): Promise<string[]> {
  const rows: string[] = [];
  for (const { tableName, target } of dataSource.entityMetadatas) {
    if (target === Removal || target === AuditEntry || target === UsageEntry) continue;
    const but = target === ProjectEvent ? "WHERE t.type NOT LIKE '%.deleted'" : '';
    const found: { row: string }[] = await dataSource.query(`SELECT t::text AS row FROM ${tableName} AS t ${but}`);
    rows.push(...found.map(({ row }) => `${tableName} ${row}`));
  }
  const entries = await readdir(artifacts, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    rows.push(`${path} ${entry.isFile() ? await readFile(path, 'utf8') : ''}`);
  }
  return rows.toSorted();
}
