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
/** Written last: a directory without it holds no index (I8). */
export const MANIFEST = 'manifest.json';

const fileSchema = z.strictObject({ name: z.string(), bytes: z.int(), sha256: z.string() });

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
  /** What was read, in this order. */
  sources: z.array(fileSchema).min(1),
  /** The engine's files. */
  files: z.array(fileSchema).min(1),
});

export type IndexManifest = z.infer<typeof manifestSchema>;
export type FileDigest = z.infer<typeof fileSchema>;

/** An index is missing, damaged or of another version. The message says what to run. */
export class PassageIndexUnusable extends Error {
  override readonly name = 'PassageIndexUnusable';
  constructor(directory: string, problem: string) {
    super(
      `The index of passages ${directory} ${problem}. Build it with \`npx agentflow passages index FILE... --to ` +
        `${directory}\`; move what is there away before.`,
    );
  }
}

/** What the results of searches depend on: the same passages in the same order, made into terms in the same way. */
export function identityOf({ analyzer, sources }: Pick<IndexManifest, 'analyzer' | 'sources'>): string {
  return sha256Hex(canonicalJson({ analyzer, sources: sources.map(({ sha256 }) => sha256) }));
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
