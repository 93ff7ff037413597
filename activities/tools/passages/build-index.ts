import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { EmbeddingsSection } from '../../../infra/config/operator/embeddings.js';
import type { WithKey } from '../../../infra/config/secrets.js';
import { syncPath, writeSynced } from '../../../infra/artifacts/synced.js';
import { tryKernelLock } from '../../../infra/local/kernel-lock.js';
import { outcomeOf } from '../../../infra/local/start-python.js';
import { filesOfRecords, readRows, type ReadRow } from '../../datasets/rows/read-rows.js';
import { RowError } from '../../datasets/rows/rows.js';
import { embedPassages, type Rows } from './embed-passages.js';
import {
  digestFile,
  ENGINE_DIRECTORY,
  engineFiles,
  identityOf,
  IndexRefused,
  MANIFEST,
  type FileDigest,
  type IndexManifest,
  type Precision,
} from './manifest.js';
import { PassageSearcher } from './passage-searcher.js';
import { PASSAGE_COLUMNS, passagesIn, type Passage } from './passages-in.js';
import { startPassagesProcess } from './passages-process.js';

/** The process is given so much at a time. */
const CHUNK_CHARACTERS = 256 * 1024;
/** Records that were left out and are named. */
const NAMED = 10;
const SAID_EVERY = 100_000;

const builtSchema = z.strictObject({
  analyzer: z.string(),
  engine: z.string(),
  passages: z.int(),
  repeated: z.int(),
});

const vectorsSchema = z.strictObject({ engine: z.string(), vectors: z.int() });

type Say = (line: string) => void;

/** How the passages are to be embedded. */
export interface DenseSettings {
  embeddings: WithKey<EmbeddingsSection>;
  precision: Precision;
}

/**
 * Builds an index of the passages of files, unless the directory holds one of the same files. It is whole or absent
 * (I8): it appears under its name when all of it is on the disk. What else the directory holds is left alone (I13).
 * @param paths files of records, or directories of them
 * @param say told how far it is, and what was left out
 * @param dense without it the index has no vectors
 * @throws IndexRefused, RowError, PassageIndexUnusable
 */
export async function buildPassageIndex(
  paths: readonly string[],
  directory: string,
  say: Say,
  dense?: DenseSettings,
): Promise<IndexManifest> {
  const files = (await Promise.all(paths.map(filesOfRecords))).flat();
  await mkdir(dirname(directory), { recursive: true });
  const lock = tryKernelLock(`${directory}.lock`);
  if (!lock) throw new IndexRefused(`Another process builds ${directory}. Wait until it has ended.`);
  try {
    const sources = await digestAll(files);
    return (await isThere(directory))
      ? await standing(directory, sources, dense, say)
      : await anew({ files, sources, directory, dense, say });
  } finally {
    await rm(`${directory}.lock`, { force: true });
    lock.release();
  }
}

/** The index that is there, if it is the one to be built. @throws IndexRefused, PassageIndexUnusable */
async function standing(
  directory: string,
  sources: readonly FileDigest[],
  dense: DenseSettings | undefined,
  say: Say,
): Promise<IndexManifest> {
  const searcher = await PassageSearcher.open(directory);
  searcher.close();
  const { manifest } = searcher;
  const other = sameFiles(manifest.sources, sources) ? otherVectors(manifest, dense) : 'of other files';
  if (other === undefined) {
    say(`${directory} holds the index of these files already: nothing is to be done.`);
    return manifest;
  }
  throw new IndexRefused(
    `${directory} holds an index ${other}. It is not replaced, because runs may depend on it: choose another name.`,
  );
}

/** What vectors an index has that is to have those of `dense`. One that has some can be searched by words too. */
function otherVectors({ dense: has }: IndexManifest, dense: DenseSettings | undefined): string | undefined {
  if (!dense) return undefined;
  if (!has) return 'without vectors';
  const { model, query_prefix, passage_prefix } = dense.embeddings;
  const wanted = { model, query_prefix, passage_prefix, precision: dense.precision };
  const another = Object.entries(wanted).find(([key, value]) => has[key as keyof typeof wanted] !== value);
  if (!another) return undefined;
  const [key] = another;
  return `whose ${key} is ${JSON.stringify(has[key as keyof typeof wanted])}, not ${JSON.stringify(another[1])}`;
}

interface Building {
  files: readonly string[];
  sources: FileDigest[];
  directory: string;
  dense: DenseSettings | undefined;
  say: Say;
}

async function anew({ files, sources, directory, dense, say }: Building): Promise<IndexManifest> {
  const unfinished = `${directory}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(join(unfinished, ENGINE_DIRECTORY), { recursive: true });
  const built = await build(files, unfinished, say);
  if (!sameFiles(await digestAll(files), sources)) {
    throw new IndexRefused('The files were changed while they were read. Build the index when they are whole.');
  }
  if (!dense) return finish(unfinished, directory, { ...built, sources });
  const { embeddings, precision } = dense;
  const engine = join(unfinished, ENGINE_DIRECTORY);
  const identity = identityOf({ ...built, sources });
  const rows = await embedPassages(engine, built.passages, { directory, identity, embeddings }, say);
  const { model, query_prefix, passage_prefix } = embeddings;
  const facts = { model, query_prefix, passage_prefix, dimension: rows.dimension, precision };
  const vectors = { ...facts, engine: await addVectors(engine, rows, built.passages, precision) };
  const manifest = await finish(unfinished, directory, { ...built, dense: vectors, sources });
  await rm(rows.path);
  return manifest;
}

/** @returns what has written them */
async function addVectors(directory: string, rows: Rows, count: number, precision: Precision): Promise<string> {
  const child = startPassagesProcess('add-vectors', directory);
  child.stdin.on('error', () => undefined); // a process that has ended says so by its end
  child.stdin.end(`${JSON.stringify({ rows: rows.path, dimension: rows.dimension, precision })}\n`);
  const { output, errors, code, signal } = await outcomeOf(child);
  const added = code === 0 ? vectorsSchema.parse(JSON.parse(output)) : undefined;
  if (added?.vectors === count) return added.engine;
  const how = added ? `there are ${added.vectors} for ${count} passages` : (signal ?? errors.trim().split('\n').at(-1));
  throw new IndexRefused(
    `The vectors in ${rows.path} cannot be indexed: ${how}. Delete it to embed the passages anew.`,
  );
}

function sameFiles(some: readonly FileDigest[], others: readonly FileDigest[]): boolean {
  return some.map(({ sha256 }) => sha256).join() === others.map(({ sha256 }) => sha256).join();
}

type Built = Omit<IndexManifest, 'sources' | 'files'>;

/** What is read is written to the process as it comes. */
async function build(files: readonly string[], directory: string, say: Say): Promise<Built> {
  const child = startPassagesProcess('build', join(directory, ENGINE_DIRECTORY));
  const leftOut = new LeftOut();
  try {
    const reading = pipeline(Readable.from(chunks(files, leftOut, say)), child.stdin).catch((error: Error) => error);
    const [{ output, errors, code, signal }, failed] = await Promise.all([outcomeOf(child), reading]);
    if (failed && (failed as NodeJS.ErrnoException).code !== 'EPIPE') throw failed;
    if (code !== 0) {
      throw new IndexRefused(`The index cannot be built: ${signal ?? `exit code ${code}`}. ${errors.trim()}`);
    }
    const built = builtSchema.parse(JSON.parse(output));
    leftOut.tell(say);
    if (built.passages === 0) throw new IndexRefused('There is no passage in these files.');
    return { ...built, left_out: leftOut.count };
  } finally {
    child.kill('SIGKILL');
  }
}

/** Passages as lines for the process, many at a time. */
async function* chunks(files: readonly string[], leftOut: LeftOut, say: Say): AsyncGenerator<string> {
  let chunk = '';
  let count = 0;
  for (const file of files) {
    for await (const read of readRows(file, { columns: PASSAGE_COLUMNS, note: say })) {
      for (const { title, text: words } of leftOut.unless(read)) {
        chunk += `${JSON.stringify([title, words])}\n`;
        count += 1;
        if (count % SAID_EVERY === 0) say(`${count} passages read`);
      }
      if (chunk.length < CHUNK_CHARACTERS) continue;
      yield chunk;
      chunk = '';
    }
  }
  yield chunk;
}

/** Records that hold no passage that can be read: their number, and why of the first. */
class LeftOut {
  count = 0;
  private readonly first: string[] = [];

  unless(read: ReadRow): Passage[] {
    try {
      if ('problem' in read) throw new RowError(read.problem);
      return passagesIn(read.row);
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      this.count += 1;
      if (this.first.length < NAMED) this.first.push(`  ${read.place}: ${error.message}`);
      return [];
    }
  }

  tell(say: Say): void {
    if (this.count === 0) return;
    for (const line of [`${this.count} records left out:`, ...this.first]) say(line);
  }
}

/** Gives an index its name when it is whole and on the disk. */
async function finish(
  unfinished: string,
  directory: string,
  built: Omit<IndexManifest, 'files'>,
): Promise<IndexManifest> {
  const engine = join(unfinished, ENGINE_DIRECTORY);
  const manifest = { ...built, files: await engineFiles(unfinished) };
  for (const { name } of manifest.files) await syncPath(join(engine, name));
  await syncPath(engine);
  await writeSynced(join(unfinished, MANIFEST), Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
  await syncPath(unfinished);
  await rename(unfinished, directory);
  await syncPath(dirname(directory));
  return manifest;
}

async function digestAll(files: readonly string[]): Promise<FileDigest[]> {
  const digests: FileDigest[] = [];
  for (const path of files) digests.push({ name: basename(path), ...(await digestFile(path)) });
  return digests;
}

/** Whether anything but an empty directory is there, in whose place an index may come. */
function isThere(path: string): Promise<boolean> {
  return readdir(path).then(
    (names) => names.length > 0,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      if (error.code === 'ENOTDIR') return true;
      throw error;
    },
  );
}
