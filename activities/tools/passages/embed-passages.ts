import { open, readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { canonicalJson } from '../../../infra/artifacts/canonical-json.js';
import { sha256Hex } from '../../../infra/artifacts/sha256.js';
import type { EmbeddingsSection } from '../../../infra/config/operator/embeddings.js';
import type { WithKey } from '../../../infra/config/secrets.js';
import { EMBEDDED_AT_ONCE, openEmbedder, type Embedder } from '../ranking/embedder.js';
import { IndexRefused } from './manifest.js';
import { asText } from './passages-in.js';
import { SearchProcess } from './search-process.js';

/** Requests that are open at a time: a server with a GPU computes some beside each other. */
const REQUESTS = 4;
/** Passages that are kept together. A build that goes on asks for the same batches as one that was not interrupted. */
const GROUP = REQUESTS * EMBEDDED_AT_ONCE;
const SAID_EVERY = 80 * GROUP;
/** Before a request is tried again, if its answer does not say how long. */
const WAITS_MS = [1, 2, 4, 8, 16, 32, 60].map((seconds) => seconds * 1_000);
const FLOAT_BYTES = 4;
const HASH_CHARACTERS = 16;

/** The vectors of all passages, in their order, as rows of float32. */
export interface Rows {
  path: string;
  dimension: number;
}

/** What the rows of an interrupted build depend on. Another model's are in a file of another name. */
interface RowsOf {
  /** Where the index is to be. The file lies beside it. */
  directory: string;
  /** Of the passages (manifest.ts). */
  identity: string;
  embeddings: WithKey<EmbeddingsSection>;
}

/**
 * Embeds the passages of an engine's directory, and goes on where an interrupted build has ended: what was embedded has
 * cost time, or money.
 * @param count of the passages
 * @throws IndexRefused if the model's server refuses, or is out of order for some minutes. What is embedded is kept.
 */
export async function embedPassages(
  engine: string,
  count: number,
  of: RowsOf,
  say: (line: string) => void,
): Promise<Rows> {
  let shortened = 0;
  const embedder = openEmbedder(of.embeddings, () => (shortened += 1));
  const process = new SearchProcess(engine);
  const rows = await RowsFile.open(of);
  try {
    if (rows.count > 0) say(`${rows.count} of ${count} passages are embedded already: the rest is to be done.`);
    while (rows.count < count) {
      const group = { first: rows.count, count: Math.min(GROUP, count - rows.count) };
      const passages = await process.ask(group, new AbortController().signal);
      await rows.append(await embedGroup(embedder, passages.map(asText)));
      if (rows.count % SAID_EVERY === 0) say(`${rows.count} of ${count} passages embedded`);
    }
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    const kept = `${rows.count} of ${count} passages are embedded, and kept: give the same command again to go on.`;
    throw new IndexRefused(`${error.message} ${kept}`, { cause: error });
  } finally {
    process.kill();
  }
  if (shortened > 0) say(`${shortened} passages are too long for the model: their beginnings were embedded.`);
  return rows.finished();
}

/** The batches of a group beside each other. If one fails, the others are given up. */
async function embedGroup(embedder: Embedder, texts: readonly string[]): Promise<number[][]> {
  const batches = Array.from({ length: Math.ceil(texts.length / EMBEDDED_AT_ONCE) }, (_, batch) =>
    texts.slice(batch * EMBEDDED_AT_ONCE, (batch + 1) * EMBEDDED_AT_ONCE),
  );
  const given = new AbortController();
  try {
    return (await Promise.all(batches.map((batch) => embedPatiently(embedder, batch, given.signal)))).flat();
  } finally {
    given.abort();
  }
}

async function embedPatiently(embedder: Embedder, batch: readonly string[], signal: AbortSignal): Promise<number[][]> {
  for (const wait of WAITS_MS) {
    try {
      return await embedder.embedPassages(batch, signal);
    } catch (error) {
      if (!(error instanceof ApplicationFailure) || error.nonRetryable) throw error;
      await sleep(Number(error.nextRetryDelay ?? wait), undefined, { signal });
    }
  }
  return embedder.embedPassages(batch, signal);
}

/** Rows that are on the disk group by group. Its name says what they are of, and how long they are. */
class RowsFile {
  private constructor(
    private readonly model: string,
    private readonly stem: string,
    private dimension: number | undefined,
    /** Rows that are there. */
    public count: number,
  ) {}

  static async open({ directory, identity, embeddings: { model, passage_prefix } }: RowsOf): Promise<RowsFile> {
    const hash = sha256Hex(canonicalJson({ identity, model, passage_prefix })).slice(0, HASH_CHARACTERS);
    const stem = `${directory}.${hash}`;
    const begun = (await readdir(dirname(directory))).find((name) => name.startsWith(`${basename(stem)}-`));
    const dimension = begun === undefined ? undefined : Number(/-(\d+)\.vectors$/.exec(begun)?.[1]);
    const rows = new RowsFile(model, stem, dimension, 0);
    if (dimension !== undefined) rows.count = await wholeGroups(rows.path, dimension);
    return rows;
  }

  private get path(): string {
    return `${this.stem}-${this.dimension}.vectors`;
  }

  async append(vectors: readonly (readonly number[])[]): Promise<void> {
    this.dimension ??= vectors[0].length;
    const other = vectors.find(({ length }) => length !== this.dimension);
    if (other) {
      throw new IndexRefused(
        `${this.model} gives vectors of ${other.length} numbers, and gave ${this.dimension} before: another model ` +
          `answers to its name. Delete ${this.path} to embed all passages anew.`,
      );
    }
    const file = await open(this.path, 'a');
    try {
      await file.writeFile(new Uint8Array(Float32Array.from(vectors.flat()).buffer));
      await file.datasync();
    } finally {
      await file.close();
    }
    this.count += vectors.length;
  }

  finished(): Rows {
    return { path: this.path, dimension: this.dimension! };
  }
}

/** Cuts what a killed build has left of a group, and says how many rows there are. */
async function wholeGroups(path: string, dimension: number): Promise<number> {
  const file = await open(path, 'r+');
  try {
    const bytes = dimension * FLOAT_BYTES;
    const groups = Math.floor((await file.stat()).size / bytes / GROUP);
    await file.truncate(groups * GROUP * bytes);
    return groups * GROUP;
  } finally {
    await file.close();
  }
}
