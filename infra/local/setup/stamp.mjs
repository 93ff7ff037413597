import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** sha256 over the names and contents of files, in the order given; a missing one counts as empty. */
export function hashFiles(paths) {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(`${path}\0`).update(readOr(path, '')).update('\0');
  return hash.digest('hex');
}

/**
 * A file inside what a step produces that holds the hash of what it was produced from: deleting the product
 * deletes the stamp, so a stamp never vouches for something that is gone.
 */
export function stamp(path, inputs) {
  const hash = hashFiles(inputs);
  return {
    matches: () => readOr(path, '').toString() === hash,
    write() {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, hash);
    },
  };
}

function readOr(path, fallback) {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error.code === 'ENOENT') return fallback;
    throw error;
  }
}
