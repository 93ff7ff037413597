import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const PIECE = Buffer.alloc(4096);

/** A file that takes the space of a disk. */
export class Ballast {
  private readonly path: string;

  constructor(private readonly directory: string) {
    this.path = join(directory, 'ballast');
  }

  /** Grows until the disk has no more than so many bytes left; for 0, until it refuses a write. */
  leave(bytes: number): void {
    const file = openSync(this.path, 'a');
    try {
      while (bytes === 0 || this.free() > bytes) writeSync(file, PIECE);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }

  private free(): number {
    const { bavail, bsize } = statfsSync(this.directory);
    return bavail * bsize;
  }
}
