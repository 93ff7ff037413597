import type { ArtifactRef } from '../../contracts/artifacts.js';

export interface StoredArtifact extends ArtifactRef {
  bytes: number;
}

/** A file that came in pieces and is on the disk, but has no name yet. */
export interface ReceivedFile {
  sha256: string;
  bytes: number;
  /** Gives it a name that says its content, unless it has that already. It may be repeated until `drop`. */
  keep(path: string): Promise<StoredArtifact>;
  /** Gives up what was received. What has a name keeps it. */
  drop(): Promise<void>;
}

/** Files that workflows pass by reference (I6). A path is relative to the store's root. */
export interface ArtifactStore {
  /**
   * Writes a whole file or nothing (I8). Other content that has the path keeps it (I13): then the file gets another name
   * beside it. What is referred to is the URI that this returns.
   * @throws where the file system does; nothing of the path is changed then
   */
  writeFile(path: string, content: Uint8Array): Promise<StoredArtifact>;

  /**
   * @param sha256 what the content must have
   * @throws ArtifactMissing, ArtifactCorrupt
   */
  readFile(uri: string, sha256?: string): Promise<Buffer>;

  /**
   * Writes a file of any size as it comes, in a directory. Nothing of it is left if it does not come to its end.
   * @throws what the content throws, and where the file system does
   */
  receive(directory: string, content: AsyncIterable<Uint8Array>): Promise<ReceivedFile>;

  /**
   * Deletes what a process that died was receiving in a directory: nothing has come for so long.
   * @returns the names of the whole files that are there
   */
  sweepReceived(directory: string, idleMs: number): Promise<string[]>;

  /**
   * A path on this machine under which a large file can be read.
   * @param sha256 what the content must have
   * @throws ArtifactMissing, ArtifactCorrupt
   */
  localFile(uri: string, sha256: string): Promise<string>;

  exists(uri: string): Promise<boolean>;

  /** The absolute path of a file on this machine, for those who stream it. */
  localPath(path: string): string;

  /** The names in a directory, in no order; none if it is not there. */
  names(uri: string): Promise<string[]>;

  /**
   * Takes a file or a directory away from its name, at once and for good: from then on nothing of it is found. Nothing
   * happens if it is not there.
   */
  discard(path: string): Promise<void>;

  /** Deletes what was discarded under this path, also by a process that died over it. */
  deleteDiscarded(path: string): Promise<void>;
}

/** Thrown when a URI names no file of the store. */
export class ArtifactMissing extends Error {
  override name = 'ArtifactMissing';
  constructor(uri: string) {
    super(`The artifact ${uri} does not exist.`);
  }
}

/** Thrown when a file does not have the sha256 that its reference says. */
export class ArtifactCorrupt extends Error {
  override name = 'ArtifactCorrupt';
  constructor(uri: string, expected: string, found: string) {
    super(`The artifact ${uri} has sha256 ${found}, not ${expected}: it was changed or damaged after it was written.`);
  }
}
