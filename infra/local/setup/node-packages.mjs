import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, SetupError } from './command.mjs';
import { ROOT } from './paths.mjs';

const LOCK_FILE = 'package-lock.json';

export const nodePackages = {
  title: 'Node packages',
  needs: [],
  isDone: installedMatchesLock,
  async run() {
    const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];
    await run(
      'Installing the Node packages of package-lock.json',
      npm[0],
      [...npm.slice(1), 'ci', '--include=dev', '--loglevel=error'],
      {
        hint: 'npm needs its registry: check the network and the proxy settings, then run the command again.',
      },
    );
  },
};

/** npm keeps a lock of what it installed: every package of package-lock.json that is not optional has to be in it. */
function installedMatchesLock() {
  const wanted = readPackages(LOCK_FILE);
  const installed = readPackages('node_modules/.package-lock.json');
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional || installed[path]?.version === version,
  );
}

function readPackages(lockFile) {
  try {
    return JSON.parse(readFileSync(join(ROOT, lockFile), 'utf8')).packages ?? {};
  } catch (error) {
    if (error.code === 'ENOENT' || lockFile !== LOCK_FILE) return {}; // damaged: npm installs them again
    throw new SetupError(`${lockFile} cannot be read: ${error.message}. Restore it: git checkout ${lockFile}`);
  }
}
