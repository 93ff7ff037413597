import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stackPaths } from './stack-options.js';

/** What a child of the stack makes is its owner's alone. */
export const PRIVATE_UMASK = 0o077;

/**
 * Makes the directories of a data directory, and takes from other users what an earlier version left open to them:
 * histories, artifacts, logs and keys. The data directory itself may have to be passed through by PostgreSQL's user, so
 * the files that lie right in it are closed one by one.
 */
export function keepPrivate(dataDirectory: string): void {
  const { artifacts, log } = stackPaths(dataDirectory);
  for (const directory of [artifacts, dirname(log('any'))]) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    chmodSync(directory, 0o700);
  }
  for (const entry of readdirSync(dataDirectory, { withFileTypes: true })) {
    const path = join(dataDirectory, entry.name);
    if (entry.isFile() && existsSync(path)) chmodSync(path, 0o600);
  }
}
