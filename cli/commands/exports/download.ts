import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { tryLock } from 'fs-native-extensions';
import type { ApiClient } from '../../client/api-client.js';
import { ApiUnreachable } from '../../client/api-errors.js';
import type { Export } from '../../client/api-types.js';
import { CliError } from '../../cli-error.js';

/** Without a byte for so long, the connection is gone. */
const SILENCE_MS = 60_000;
/** How often a file is fetched whose bytes are not those that the API tells of. */
const FETCHES = 2;
const READ_BYTES = 2 ** 20;
const { O_RDONLY, O_RDWR, O_APPEND, O_CREAT, O_DIRECTORY, O_NOFOLLOW } = constants;
/** What opening says of a link, and of something else than was asked for. */
const OTHER_KIND = ['ELOOP', 'ENOTDIR', 'EISDIR', 'ENXIO'];
const REMOVE_IT = 'remove it, then repeat the command.';

type File = Export['files'][number];

/**
 * Downloads the files of an export into a directory that is whole or absent: they gather beside it, where only their
 * user may look, and what is there from an earlier call is gone on with. Every file is compared with its sha256.
 * @throws CliError if something is in the directory, if anything but these files is where they gather, if another
 *   download writes there, if a file cannot be written, or arrives altered
 */
export async function download(
  client: ApiClient,
  { id, files }: Pick<Export, 'id' | 'files'>,
  directory: string,
  say: (line: string) => void,
): Promise<void> {
  const target = resolve(directory);
  const gathering = join(dirname(target), `.${basename(target)}.${id}`);
  const opened: FileHandle[] = [];
  try {
    await locally(target, requireFree(target));
    await locally(gathering, makePrivate(gathering));
    await locally(gathering, requireOnly(gathering, id, files));
    // All at once: their locks keep another download out to the end.
    for (const { name } of files) opened.push(await locally(join(gathering, name), openPlain(join(gathering, name))));
    for (const [at, file] of files.entries()) {
      say(`${file.name}, ${file.bytes} bytes`);
      await locally(join(gathering, file.name), fetchFile(client, id, file, opened[at]));
    }
    await locally(gathering, requireOnly(gathering, id, files));
    await locally(target, requireFree(target));
    await locally(target, rename(gathering, target));
  } finally {
    for (const handle of opened) await handle.close();
  }
}

/** Says in a sentence what the file system refuses. Other errors pass. */
async function locally<T>(path: string, work: Promise<T>): Promise<T> {
  return work.catch((error: NodeJS.ErrnoException) => {
    const [, reason] = getSystemErrorMap().get(error.errno ?? 0) ?? [];
    if (reason === undefined) throw error;
    throw new CliError(`${path} cannot be written: ${reason}. Mend that, then repeat the command to go on.`, 1, {
      cause: error,
    });
  });
}

/** A directory is made in one that is there: Node never ends to make several below /proc. */
async function requireFree(target: string): Promise<void> {
  const parent = dirname(target);
  if (!(await ifThere(stat(parent)))?.isDirectory()) {
    throw new CliError(`${parent} is not a directory: make it, then repeat the command.`);
  }
  const found = await ifThere(lstat(target));
  if (!found) return;
  if (!found.isDirectory() || (await readdir(target)).length > 0) {
    throw new CliError(`${target} is not an empty directory: nothing is overwritten.`);
  }
}

async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  return work.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
}

/** Makes the directory, or takes the one that an earlier call made: another's could be changed meanwhile. */
async function makePrivate(directory: string): Promise<void> {
  await mkdir(directory, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const refused = `${directory} is not a directory of yours: ${REMOVE_IT}`;
  const handle = await openAs(directory, O_RDONLY | O_DIRECTORY, refused);
  try {
    if ((await handle.stat()).uid !== process.getuid?.()) throw new CliError(refused);
    await handle.chmod(0o700);
  } finally {
    await handle.close();
  }
}

/** @throws CliError if something else is among the files: it would be taken for a part of the export */
async function requireOnly(directory: string, id: string, files: readonly File[]): Promise<void> {
  const known = files.map(({ name }) => name);
  const path = known.find((name) => basename(name) !== name || name === '.' || name === '..');
  if (path !== undefined) throw new CliError(`${id} names a file "${path}", which is not the name of one.`);
  const unknown = (await readdir(directory)).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new CliError(`${join(directory, unknown)} is no file of ${id}: ${REMOVE_IT}`);
}

/** Opens a file to read and to append, and locks it. A link, also a hard one, could lead to any other file. */
async function openPlain(path: string): Promise<FileHandle> {
  const refused = `${path} is not a plain file of yours: ${REMOVE_IT}`;
  const handle = await openAs(path, O_RDWR | O_APPEND | O_CREAT, refused);
  try {
    const found = await handle.stat();
    if (!found.isFile() || found.nlink !== 1 || found.uid !== process.getuid?.()) throw new CliError(refused);
    if (!tryLock(handle.fd)) throw new CliError(`Another download is writing ${path}: wait until it has ended.`);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** @throws CliError `refused` if something else has the name */
async function openAs(path: string, flags: number, refused: string): Promise<FileHandle> {
  return open(path, flags | O_NOFOLLOW, 0o666).catch((error: NodeJS.ErrnoException) => {
    throw OTHER_KIND.includes(error.code ?? '') ? new CliError(refused, 1, { cause: error }) : error;
  });
}

async function fetchFile(client: ApiClient, id: string, file: File, handle: FileHandle): Promise<void> {
  for (let fetched = 0; fetched < FETCHES; fetched++) {
    const { size } = await handle.stat();
    if (size < file.bytes) await fetchRest(client, id, file, handle, size);
    if ((await sha256Of(handle)) === file.sha256) return handle.sync();
    await handle.truncate();
  }
  throw new CliError(
    `${file.name} of ${id} arrived ${FETCHES} times with another sha256 than ${file.sha256}: it was changed or damaged on the way.`,
  );
}

/** Appends what is missing. */
async function fetchRest(
  client: ApiClient,
  id: string,
  { name, sha256 }: File,
  handle: FileHandle,
  from: number,
): Promise<void> {
  const stop = new AbortController();
  const silence = setTimeout(() => stop.abort(), SILENCE_MS);
  try {
    const response = await client.openFile({ id, name }, { from, sha256 }, stop.signal);
    // Only an answer that begins where the file ends may be appended to it.
    const goesOn = response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${from}-`);
    if (response.status === 206 && !goesOn)
      throw new CliError(`${name} of ${id}: another part was sent than was asked for.`);
    if (!goesOn) await handle.truncate();
    for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      silence.refresh();
      await handle.appendFile(part);
    }
  } catch (error) {
    throw isBroken(error) ? new ApiUnreachable(client.access.url, error) : error;
  } finally {
    clearTimeout(silence);
  }
}

/** Whether a connection broke, as undici says it, or was silent. */
function isBroken(error: unknown): boolean {
  const { name } = error as Error;
  return error instanceof TypeError || name === 'AbortError';
}

async function sha256Of(handle: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  const part = Buffer.allocUnsafe(READ_BYTES);
  for (let at = 0; ;) {
    const { bytesRead } = await handle.read(part, 0, part.length, at);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(part.subarray(0, bytesRead));
    at += bytesRead;
  }
}
