import { closeSync, openSync, readSync } from 'node:fs';

/** Bytes of a text from outside at most, such as a configuration. */
export const MAX_TEXT_BYTES = 1024 * 1024;

/**
 * A file's text. Reads no more than `limit` bytes whatever its size says: a device has none, and never ends.
 * @throws Error for a larger file; those of the file system
 */
export function readTextFile(path: string, limit = MAX_TEXT_BYTES): string {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(limit + 1);
    let size = 0;
    for (;;) {
      const read = readSync(file, bytes, size, bytes.length - size, null);
      size += read;
      if (size > limit) throw new Error(`${path} is larger than ${limit} bytes`);
      if (read === 0) return bytes.toString('utf8', 0, size);
    }
  } finally {
    closeSync(file);
  }
}
