import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ArtifactCorrupt, ArtifactMissing, type ArtifactStore, type StoredArtifact } from './artifact-store.js';
import { sha256Hex } from './sha256.js';

/** Artifacts as files below one directory. */
export class FileArtifactStore implements ArtifactStore {
  private readonly root: string;

  /** @param root absolute directory; made when the first file is written */
  constructor(root: string) {
    this.root = resolve(root);
  }

  async writeFile(path: string, content: Uint8Array): Promise<StoredArtifact> {
    const target = this.inside(join(this.root, path));
    const directory = dirname(target);
    await makeDirectory(directory);
    const temporary = `${target}.tmp-${process.pid}-${randomBytes(4).toString('hex')}`;
    try {
      await writeSynced(temporary, content);
      await rename(temporary, target);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncDirectory(directory);
    return { uri: pathToFileURL(target).href, sha256: sha256Hex(content), bytes: content.length };
  }

  async readFile(uri: string, sha256?: string): Promise<Buffer> {
    if (!uri.startsWith('file:///')) throw new Error(`The artifact store of files cannot read ${uri}.`);
    const content = await readFile(this.inside(fileURLToPath(uri))).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? new ArtifactMissing(uri) : error;
    });
    const found = sha256Hex(content);
    if (sha256 !== undefined && found !== sha256) throw new ArtifactCorrupt(uri, sha256, found);
    return content;
  }

  private inside(path: string): string {
    const below = relative(this.root, path);
    if (below === '' || below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below)) {
      throw new Error(`The path ${path} is not below the artifact store's root ${this.root}.`);
    }
    return path;
  }
}

async function writeSynced(path: string, content: Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a directory and syncs the parent of each one that is new, so that a power cut does not lose them. */
async function makeDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true });
  if (first === undefined) return;
  for (let made = directory; made.length >= first.length; made = dirname(made)) await syncDirectory(dirname(made));
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
