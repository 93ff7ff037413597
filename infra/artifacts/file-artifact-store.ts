import { randomBytes } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, parse, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  ArtifactCorrupt,
  ArtifactMissing,
  type ArtifactStore,
  type ReceivedFile,
  type StoredArtifact,
} from './artifact-store.js';
import { sha256OfFile, sha256OfLarge } from './sha256.js';
import { syncPath, writePieces, writeSynced } from './synced.js';

/** How the name of a file begins that has not come to its end. */
const RECEIVING = '.receiving-';

/** Artifacts as files below one directory. */
export class FileArtifactStore implements ArtifactStore {
  private readonly root: string;

  /** @param root absolute directory; made when the first file is written */
  constructor(root: string) {
    this.root = resolve(root);
  }

  async writeFile(path: string, content: Uint8Array): Promise<StoredArtifact> {
    const wanted = this.inside(join(this.root, path));
    const directory = dirname(wanted);
    const sha256 = await sha256OfLarge(content);
    await makeDirectory(directory);
    const temporary = `${wanted}.tmp-${process.pid}-${randomBytes(4).toString('hex')}`;
    let target: string;
    try {
      await writeSynced(temporary, content);
      target = await this.name(temporary, [wanted, beside(wanted, sha256)], content);
    } finally {
      await rm(temporary, { force: true });
    }
    await syncPath(directory);
    return { uri: pathToFileURL(target).href, sha256, bytes: content.length };
  }

  /** Gives a file the first name that is free, or under which the same content is. What has a name keeps it (I13). */
  private async name(file: string, names: string[], content: Uint8Array): Promise<string> {
    for (let i = 0; i < names.length;) {
      try {
        await link(file, names[i]);
        return names[i];
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        const standing = await unlessMissing(readFile(names[i]));
        if (standing?.equals(content)) return names[i];
        // Where it was removed since, the name is free again.
        if (standing) i++;
      }
    }
    throw new Error(`${names.join(' and ')} are there with another content, and are not overwritten. Move them away.`);
  }

  async readFile(uri: string, sha256?: string): Promise<Buffer> {
    const content = await readFile(this.pathOf(uri)).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? new ArtifactMissing(uri) : error;
    });
    const found = await sha256OfLarge(content);
    if (sha256 !== undefined && found !== sha256) throw new ArtifactCorrupt(uri, sha256, found);
    return content;
  }

  async receive(directory: string, content: AsyncIterable<Uint8Array>): Promise<ReceivedFile> {
    const place = this.inside(join(this.root, directory));
    await makeDirectory(place);
    const temporary = join(place, `${RECEIVING}${process.pid}-${randomBytes(8).toString('hex')}`);
    const drop = () => rm(temporary, { force: true });
    try {
      const { sha256, bytes } = await writePieces(temporary, content);
      const keep = async (path: string): Promise<StoredArtifact> => {
        const target = this.inside(join(this.root, path));
        await nameByContent(temporary, target, sha256);
        return { uri: pathToFileURL(target).href, sha256, bytes };
      };
      return { sha256, bytes, keep, drop };
    } catch (error) {
      await drop();
      throw error;
    }
  }

  async sweepReceived(directory: string, idleMs: number): Promise<string[]> {
    const place = this.inside(join(this.root, directory));
    const names = (await unlessMissing(readdir(place))) ?? [];
    for (const name of names.filter((one) => one.startsWith(RECEIVING))) {
      const found = await unlessMissing(stat(join(place, name)));
      if (found && Date.now() - found.mtimeMs > idleMs) await rm(join(place, name), { force: true });
    }
    return names.filter((name) => !name.startsWith('.'));
  }

  async localFile(uri: string, sha256: string): Promise<string> {
    const path = this.pathOf(uri);
    const found = await unlessMissing(sha256OfFile(path));
    if (found === undefined) throw new ArtifactMissing(uri);
    if (found !== sha256) throw new ArtifactCorrupt(uri, sha256, found);
    return path;
  }

  async exists(uri: string): Promise<boolean> {
    return (await unlessMissing(stat(this.pathOf(uri)))) !== undefined;
  }

  localPath(path: string): string {
    return this.inside(join(this.root, path));
  }

  async names(uri: string): Promise<string[]> {
    return (await unlessMissing(readdir(this.pathOf(uri)))) ?? [];
  }

  async discard(path: string): Promise<void> {
    const directory = this.inside(join(this.root, path));
    const aside = join(dirname(directory), `.discarded-${basename(directory)}-${randomBytes(4).toString('hex')}`);
    if (await unlessMissing(rename(directory, aside).then(() => true))) await syncPath(dirname(directory));
  }

  async deleteDiscarded(path: string): Promise<void> {
    const directory = this.inside(join(this.root, path));
    const names = (await unlessMissing(readdir(dirname(directory)))) ?? [];
    for (const name of names.filter((name) => isDiscarded(directory, name))) {
      await rm(join(dirname(directory), name), { recursive: true, force: true });
    }
  }

  private pathOf(uri: string): string {
    if (!uri.startsWith('file:///')) throw new Error(`The artifact store of files cannot read ${uri}.`);
    return this.inside(fileURLToPath(uri));
  }

  private inside(path: string): string {
    const below = relative(this.root, path);
    if (below === '' || below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below)) {
      throw new Error(`The path ${path} is not below the artifact store's root ${this.root}.`);
    }
    return path;
  }
}

/** Whether it is a name that the directory has had since it was discarded. */
function isDiscarded(directory: string, name: string): boolean {
  const prefix = `.discarded-${basename(directory)}-`;
  return name.startsWith(prefix) && /^[0-9a-f]{8}$/.test(name.slice(prefix.length));
}

/** @returns undefined where what is worked on is not there */
async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  return work.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** @throws if other content has the name, which it keeps (I13) */
async function nameByContent(file: string, target: string, sha256: string): Promise<void> {
  try {
    await link(file, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if ((await sha256OfFile(target)) === sha256) return;
    throw new Error(`${target} is there with another content, and is not overwritten. Move it away.`, { cause: error });
  }
  await syncPath(dirname(target));
}

/** A name for other content than what has the wanted one. */
function beside(path: string, sha256: string): string {
  const { dir, name, ext } = parse(path);
  return join(dir, `${name}-${sha256.slice(0, 12)}${ext}`);
}

/** Makes a directory and syncs the parent of each one that is new, so that a power cut does not lose them. */
async function makeDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true });
  if (first === undefined) return;
  for (let made = directory; made.length >= first.length; made = dirname(made)) await syncPath(dirname(made));
}
