import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { SetupError } from './command.mjs';
import { ROOT } from './paths.mjs';

/** sha256 over the names in the checkout and the contents of files, in the order given; a missing one counts as empty. */
function hashFiles(paths) {
  const hash = createHash('sha256');
  for (const path of paths)
    hash
      .update(`${relative(ROOT, path)}\0`)
      .update(readOr(path, ''))
      .update('\0');
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
    throw new SetupError(`${path} cannot be read: ${error.message}. Let this user read it, or move it away.`);
  }
}
