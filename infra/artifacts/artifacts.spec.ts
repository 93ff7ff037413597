import { existsSync, fstatSync, statSync } from 'node:fs';
import { mkdtemp, open, readdir, rm, symlink, writeFile, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import type { ArtifactStore } from './artifact-store.js';
import { canonicalJson } from './canonical-json.js';
import { openArtifactStore } from './open-artifact-store.js';
import { sha256Hex } from './sha256.js';

describe('artifact store of files', () => {
  let root: string;
  let store: ArtifactStore;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'agentflow-artifacts-'));
    store = openArtifactStore(pathToFileURL(root).href);
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await rm(root, { recursive: true, force: true });
  });

  it('writes a file whole and names it by URI, sha256 and size', async () => {
    const stored = await store.writeFile('runs/a b/batches/000001.arrow', Buffer.from('content'));
    expect(stored).toEqual({
      uri: pathToFileURL(join(root, 'runs/a b/batches/000001.arrow')).href,
      sha256: sha256Hex('content'),
      bytes: 7,
    });
    expect((await store.readFile(stored.uri, stored.sha256)).toString()).toBe('content');
    expect(await readdir(join(root, 'runs/a b/batches'))).toEqual(['000001.arrow']);
  });

  it('I8: forces a file to the disk before it has its name, and then its name and each new directory', async () => {
    const target = join(root, 'runs/r/000001.arrow');
    const forced = await recordSyncs(target);
    await store.writeFile('runs/r/000001.arrow', Buffer.from('content'));
    const [file, directory, parent] = [target, join(root, 'runs/r'), join(root, 'runs')].map(
      (path) => statSync(path).ino,
    );
    expect(forced).toEqual([
      { inode: parent, named: false },
      { inode: statSync(root).ino, named: false },
      { inode: file, named: false },
      { inode: directory, named: true },
    ]);
  });

  it('I13: keeps what has the path, whatever is written there afterwards or at once, and stores both', async () => {
    const contents = Array.from({ length: 8 }, (_, index) => Buffer.alloc(50_000, index));
    const stored = await Promise.all(contents.map((content) => store.writeFile('runs/1.arrow', content)));
    const again = await Promise.all(contents.map((content) => store.writeFile('runs/1.arrow', content)));
    expect(again).toEqual(stored);
    const found = await Promise.all(stored.map(({ uri, sha256 }) => store.readFile(uri, sha256)));
    expect(found).toEqual(contents);
    expect(await readdir(join(root, 'runs'))).toHaveLength(8);
    expect(stored.filter(({ uri }) => uri.endsWith('/runs/1.arrow'))).toHaveLength(1);
  });

  it('writes a file whose name goes while it is written', async () => {
    const content = Buffer.from('content');
    for (let round = 0; round < 200; round++) {
      const written = store.writeFile('images/same', content);
      await Promise.all([written, store.discard('images/same')]);
      await store.deleteDiscarded('images/same');
    }
    const { uri } = await store.writeFile('images/same', content);
    expect(await store.exists(uri)).toBe(true);
    await store.discard('images/same');
    expect(await store.exists(uri)).toBe(false);
  });

  it('leaves nothing behind when a write fails', async () => {
    await symlink('/dev/null/none', join(root, 'taken'));
    await expect(store.writeFile('taken/file', Buffer.from('x'))).rejects.toThrow();
    expect(await readdir(root)).toEqual(['taken']);
  });

  it('refuses a file that is gone or was changed', async () => {
    const { uri, sha256 } = await store.writeFile('file', Buffer.from('content'));
    await writeFile(join(root, 'file'), 'other');
    await expect(store.readFile(uri, sha256)).rejects.toThrow(/has sha256 .* changed or damaged/);
    await rm(join(root, 'file'));
    await expect(store.readFile(uri)).rejects.toThrow('does not exist');
  });

  it('refuses paths outside its root and URIs that are not files', async () => {
    await expect(store.writeFile('../out', Buffer.from('x'))).rejects.toThrow('not below');
    await expect(store.readFile('file:///etc/passwd')).rejects.toThrow('not below');
    await expect(store.readFile('s3://bucket/key')).rejects.toThrow('cannot read');
    for (const other of ['s3://bucket/key', '/plain/path', 'file://host/x']) {
      expect(() => openArtifactStore(other)).toThrow('use file:///absolute/directory');
    }
  });
});

describe('canonicalJson', () => {
  it('does not depend on the order of keys, and keeps the value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(reverseKeys(value))).toBe(text);
      }),
    );
    expect(canonicalJson({ b: [1, { d: 1, c: 2 }], a: undefined })).toBe('{"b":[1,{"c":2,"d":1}]}');
  });

  it('refuses numbers that JSON cannot hold', () => {
    expect(() => canonicalJson({ loss: NaN })).toThrow('NaN');
  });
});

function reverseKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reverseKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, part]) => [key, reverseKeys(part)]),
  );
}

/** Every fsync from now on: of which inode, and whether the target had its name by then. */
async function recordSyncs(target: string): Promise<{ inode: number; named: boolean }[]> {
  const syncs: { inode: number; named: boolean }[] = [];
  const some = await open('.', 'r');
  const prototype = Object.getPrototypeOf(some) as FileHandle;
  await some.close();
  const spy = jest.spyOn(prototype, 'sync');
  spy.mockImplementation(function (this: FileHandle) {
    syncs.push({ inode: fstatSync(this.fd).ino, named: existsSync(target) });
    return this.datasync();
  });
  return syncs;
}
