import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { canonicalJson } from '../../../infra/artifacts/canonical-json.js';
import { sha256Hex } from '../../../infra/artifacts/sha256.js';

/** Where the engine's files are, in the directory of an index. */
export const ENGINE_DIRECTORY = 'engine';
/** The vectors, among them. */
const VECTORS = 'vectors.faiss';
/** Written last: a directory without it holds no index (I8). */
export const MANIFEST = 'manifest.json';

const fileSchema = z.strictObject({ name: z.string(), bytes: z.int(), sha256: z.string() });

/** How the numbers of a vector are kept (flow_grpo/passages/vectors.py): exactly, or rounded. */
export const PRECISIONS = ['float32', 'float16', 'int8'] as const;
export type Precision = (typeof PRECISIONS)[number];

const denseSchema = z.strictObject({
  model: z.string(),
  query_prefix: z.string(),
  passage_prefix: z.string(),
  dimension: z.int().min(1),
  precision: z.enum(PRECISIONS),
  /** What wrote the file. */
  engine: z.string(),
});

const manifestSchema = z.strictObject({
  /** What makes terms of texts and queries (flow_grpo/passages/analyzer.py). */
  analyzer: z.string(),
  /** What wrote the files. */
  engine: z.string(),
  passages: z.int(),
  /** Passages that were there before, word for word. */
  repeated: z.int(),
  /** Records that hold no passage that can be read. */
  left_out: z.int(),
  /** How the passages were embedded, if they were. */
  dense: denseSchema.optional(),
  /** What was read, in this order. */
  sources: z.array(fileSchema).min(1),
  /** The engine's files. */
  files: z.array(fileSchema).min(1),
});

export type IndexManifest = z.infer<typeof manifestSchema>;
export type DenseManifest = IndexManifest & { dense: z.infer<typeof denseSchema> };
export type FileDigest = z.infer<typeof fileSchema>;

/** An index cannot be built of these files, or there. The message says why, and what to do. */
export class IndexRefused extends Error {
  override readonly name = 'IndexRefused';
}

/** An index is missing, damaged or of another version. The message says what to run. */
export class PassageIndexUnusable extends Error {
  override readonly name = 'PassageIndexUnusable';
  /** @param options of the command that builds it */
  constructor(directory: string, problem: string, options = '') {
    super(
      `The index of passages ${directory} ${problem}. Build it with \`npx agentflow passages index FILE... --to ` +
        `${directory}${options}\`; move what is there away before.`,
    );
  }
}

/** What the results of searches by words depend on: the same passages in the same order, made into terms in the same way. */
export function identityOf({ analyzer, sources }: Pick<IndexManifest, 'analyzer' | 'sources'>): string {
  return sha256Hex(canonicalJson({ analyzer, sources: sources.map(({ sha256 }) => sha256) }));
}

/** What those by vectors depend on: the same vectors of the same passages, and queries embedded in the same way. */
export function denseIdentityOf({ analyzer, sources, dense, files }: DenseManifest): string {
  const { model, query_prefix } = dense;
  const vectors = files.find(({ name }) => name === VECTORS)?.sha256;
  return sha256Hex(canonicalJson({ passages: identityOf({ analyzer, sources }), model, query_prefix, vectors }));
}

/** @throws PassageIndexUnusable */
export async function readManifest(directory: string): Promise<IndexManifest> {
  const text = await readFile(join(directory, MANIFEST), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new PassageIndexUnusable(
      directory,
      error.code === 'ENOENT' ? 'is not there' : `cannot be read: ${error.message}`,
    );
  });
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch {
    throw new PassageIndexUnusable(directory, `is damaged: ${MANIFEST} is not what a build writes`);
  }
}

/** Reads every file of the index. @throws PassageIndexUnusable if one is missing or another than was written */
export async function verifyFiles(directory: string, { files }: IndexManifest): Promise<void> {
  for (const { name, sha256 } of files) {
    const found = await digestFile(join(directory, ENGINE_DIRECTORY, name)).catch((error: Error) => {
      throw new PassageIndexUnusable(directory, `is damaged: ${name} cannot be read: ${error.message}`);
    });
    if (found.sha256 !== sha256) throw new PassageIndexUnusable(directory, `is damaged: ${name} has been changed`);
  }
}

export async function digestFile(path: string): Promise<Omit<FileDigest, 'name'>> {
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      hash.update(chunk);
    }
  });
  return { bytes, sha256: hash.digest('hex') };
}

/** What the engine has written, without its locks. */
export async function engineFiles(directory: string): Promise<FileDigest[]> {
  const names = (await readdir(join(directory, ENGINE_DIRECTORY))).filter((name) => !name.endsWith('.lock')).sort();
  return Promise.all(
    names.map(async (name) => ({ name, ...(await digestFile(join(directory, ENGINE_DIRECTORY, name))) })),
  );
}
