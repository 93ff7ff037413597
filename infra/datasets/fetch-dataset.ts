import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FetchRecord } from './fetch-record.js';
import { FETCH_RECORD } from './fetch-record.js';
import { FetchRefused, type Hub, type HubFile } from './hub.js';
import type { DatasetSource } from './sources.js';

export interface FetchProgress {
  file: string;
  bytes: number;
  total: number | undefined;
}

export interface FetchRequest {
  name: string;
  source: DatasetSource;
  hub: Hub;
  hasToken: boolean;
  /** The licence that the person accepts where it is not the known one. */
  acceptedLicence?: string;
  /** Made where it is not there. */
  directory: string;
  onProgress: (progress: FetchProgress) => void;
}

/**
 * Downloads a dataset's files and checks each against the size and digest that the hub states. A file appears under its
 * name when it is whole; one that is there and right is not fetched again, and another one of that name is kept beside it.
 * The token is used and not stored.
 * @throws FetchRefused
 */
export async function fetchDataset(request: FetchRequest): Promise<FetchRecord> {
  const { name, source, hub, directory } = request;
  if (source.gated && !request.hasToken) {
    throw new FetchRefused(
      `${name} is gated: accept the terms of ${source.repository} on the hub, then set HF_TOKEN in the environment. ` +
        'The token is used for this download and stored nowhere.',
    );
  }
  const { commit, licence, files } = await hub.dataset(source.repository);
  checkLicence(request, licence);
  const wanted = files.filter(({ rfilename }) => source.files.test(rfilename));
  if (wanted.length === 0) {
    throw new FetchRefused(`${source.repository} has no file like ${source.files.source} any more (commit ${commit}).`);
  }
  await mkdir(directory, { recursive: true });
  const fetched: FetchRecord['files'] = [];
  for (const file of wanted) fetched.push(await fetchFile(request, commit, file));
  const record: FetchRecord = { dataset: name, repository: source.repository, commit, licence, files: fetched };
  await writeFile(join(directory, FETCH_RECORD), `${JSON.stringify(record, null, 2)}\n`);
  return record;
}

function checkLicence({ name, source, acceptedLicence }: FetchRequest, licence: string): void {
  if (licence === source.licence || licence === acceptedLicence) return;
  throw new FetchRefused(
    `The licence of ${name} (${source.repository}) is now "${licence}"; it was "${source.licence}". Read it, and where ` +
      `you accept it say so: --accept-licence ${JSON.stringify(licence)}`,
  );
}

async function fetchFile(request: FetchRequest, commit: string, file: HubFile): Promise<FetchRecord['files'][number]> {
  const { hub, source, directory, onProgress } = request;
  const name = file.rfilename.replaceAll('/', '-');
  const path = join(directory, name);
  const total = file.lfs?.size ?? file.size;
  if (await exists(path)) {
    const there = await digestOf(createReadStream(path), total);
    if (isRight(there, file)) return { name, bytes: there.bytes, sha256: there.sha256 };
  }
  const part = `${path}.part`;
  const body = Readable.fromWeb(await hub.file(source.repository, commit, file.rfilename));
  const got = await digestOf(body, total, createWriteStream(part), (bytes) => onProgress({ file: name, bytes, total }));
  if (!isRight(got, file)) {
    await rm(part, { force: true });
    throw new FetchRefused(
      `${file.rfilename} of ${source.repository} arrived with ${got.bytes} bytes and sha256 ${got.sha256}, which is not ` +
        'what the hub states. It was thrown away; try again.',
    );
  }
  await keepEarlier(path);
  await rename(part, path);
  return { name, bytes: got.bytes, sha256: got.sha256 };
}

/** A file that has the name is another version, or was changed: somebody may need it (I13). */
async function keepEarlier(path: string): Promise<void> {
  if (!(await exists(path))) return;
  const { sha256 } = await digestOf(createReadStream(path), undefined);
  await rename(path, `${path}.earlier-${sha256.slice(0, 12)}`);
}

interface Digest {
  bytes: number;
  sha256: string;
  /** git's name of the content: sha1 over its length and itself. Undefined where the length was not known before. */
  blobId?: string;
}

/** Large files are stated by their sha256, small ones by git's sha1; both by their size. */
function isRight(got: Digest, { size, blobId, lfs }: HubFile): boolean {
  if (lfs) return got.bytes === lfs.size && got.sha256 === lfs.sha256;
  return size !== undefined && blobId !== undefined && got.bytes === size && got.blobId === blobId;
}

async function digestOf(
  source: Readable,
  size: number | undefined,
  sink?: NodeJS.WritableStream,
  onBytes?: (bytes: number) => void,
): Promise<Digest> {
  const sha256 = createHash('sha256');
  const sha1 = createHash('sha1').update(`blob ${size}\0`);
  let bytes = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      sha256.update(chunk);
      sha1.update(chunk);
      onBytes?.(bytes);
      done(null, sink ? chunk : undefined);
    },
  });
  await (sink ? pipeline(source, counter, sink) : pipeline(source, counter.resume()));
  return { bytes, sha256: sha256.digest('hex'), ...(size !== undefined && { blobId: sha1.digest('hex') }) };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
