import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The directory that holds package.json: two levels up from this source file, three from its compiled form. */
export const PROJECT_ROOT = findUp(dirname(fileURLToPath(import.meta.url)), 'package.json');

function findUp(start: string, name: string): string {
  for (let directory = start; ; directory = dirname(directory)) {
    if (existsSync(join(directory, name))) return directory;
    if (directory === dirname(directory)) throw new Error(`No ${name} in ${start} or any directory above it.`);
  }
}
