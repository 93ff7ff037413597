import type { ArtifactRef } from '../../workflows/contracts/artifacts.js';

export interface StoredArtifact extends ArtifactRef {
  bytes: number;
}

/** Files that workflows pass by reference (I6). A path is relative to the store's root. */
export interface ArtifactStore {
  /**
   * Writes a whole file or nothing (I8). A file of that path is replaced at once, without a moment of half a file.
   * @throws where the file system does; the target is then as it was
   */
  writeFile(path: string, content: Uint8Array): Promise<StoredArtifact>;

  /**
   * @param sha256 what the content must have
   * @throws ArtifactMissing, ArtifactCorrupt
   */
  readFile(uri: string, sha256?: string): Promise<Buffer>;
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
