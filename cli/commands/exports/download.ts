import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import type { ApiClient } from '../../client/api-client.js';
import { ApiUnreachable } from '../../client/api-errors.js';
import type { Export } from '../../client/api-types.js';
import { CliError } from '../../cli-error.js';

/** Without a byte for so long, the connection is gone. */
const SILENCE_MS = 60_000;
/** How often a file is fetched whose bytes are not those that the API tells of. */
const FETCHES = 2;

type File = Export['files'][number];

/**
 * Downloads the files of an export into a directory that is whole or absent: they gather beside it, and what is there
 * from an earlier call is gone on with. Every file is compared with its sha256.
 * @throws CliError if something is in the directory, or a file arrives altered
 */
export async function download(
  client: ApiClient,
  { id, files }: Pick<Export, 'id' | 'files'>,
  directory: string,
  say: (line: string) => void,
): Promise<void> {
  const target = resolve(directory);
  await requireFree(target);
  const gathering = join(dirname(target), `.${basename(target)}.${id}`);
  await mkdir(gathering, { recursive: true });
  for (const file of files) {
    say(`${file.name}, ${file.bytes} bytes`);
    await fetchFile(client, id, file, join(gathering, file.name));
  }
  await requireFree(target);
  await rename(gathering, target);
}

async function requireFree(directory: string): Promise<void> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    if (error.code === 'ENOTDIR') return [directory];
    throw error;
  });
  if (names.length > 0) throw new CliError(`${directory} is not an empty directory: nothing is overwritten.`);
}

async function fetchFile(client: ApiClient, id: string, file: File, path: string): Promise<void> {
  for (let fetched = 0; fetched < FETCHES; fetched++) {
    if ((await sizeOf(path)) < file.bytes || file.bytes === 0) await fetchRest(client, id, file, path);
    if ((await sha256OfFile(path)) === file.sha256) return;
    await rm(path);
  }
  throw new CliError(
    `${file.name} of ${id} arrived ${FETCHES} times with another sha256 than ${file.sha256}: it was changed or damaged on the way.`,
  );
}

/** Appends what is missing. */
async function fetchRest(client: ApiClient, id: string, { name, sha256 }: File, path: string): Promise<void> {
  const from = await sizeOf(path);
  const stop = new AbortController();
  const silence = setTimeout(() => stop.abort(), SILENCE_MS);
  try {
    const response = await client.openFile({ id, name }, { from, sha256 }, stop.signal);
    // Only an answer that begins where the file ends may be appended to it.
    const goesOn = response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${from}-`);
    if (response.status === 206 && !goesOn)
      throw new CliError(`${name} of ${id}: another part was sent than was asked for.`);
    const body = (response.body ?? []) as AsyncIterable<Uint8Array>;
    await pipeline(refreshing(body, silence), createWriteStream(path, { flags: goesOn ? 'a' : 'w', flush: true }));
  } catch (error) {
    throw isBroken(error) ? new ApiUnreachable(client.access.url, error) : error;
  } finally {
    clearTimeout(silence);
  }
}

async function* refreshing(parts: AsyncIterable<Uint8Array>, silence: NodeJS.Timeout): AsyncGenerator<Uint8Array> {
  for await (const part of parts) {
    silence.refresh();
    yield part;
  }
}

/** Whether a connection broke, as undici says it, or was silent. */
function isBroken(error: unknown): boolean {
  const { name } = error as Error;
  return error instanceof TypeError || name === 'AbortError';
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return { size: 0 };
    throw error;
  });
  return found.size;
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
