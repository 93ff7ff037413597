import { spawn } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { keepOpenInCommands, SetupError } from './command.mjs';
import { CACHE, ROOT } from './paths.mjs';
import { findPython } from './python.mjs';

/** Exit code of the program below: another process holds the lock. */
const HELD = 75;

/**
 * Node has no file locks, and no package is installed yet; Python is there, because set-up needs it. The lock belongs to
 * the open file, which Python was given as number 3: it stays when Python ends, and goes when this process ends.
 */
const FLOCK = `
import errno, fcntl, sys
try:
    fcntl.flock(3, fcntl.LOCK_EX | (0 if "wait" in sys.argv else fcntl.LOCK_NB))
except BlockingIOError:
    sys.exit(${HELD})
except OSError as error:
    sys.exit(f"{error.strerror} ({errno.errorcode.get(error.errno)})")
`;

/** Runs `work` while no other process sets up this checkout or fills this cache: two `npm ci` at once wreck both. */
export async function withSetupLock(work) {
  const python = findPython();
  const paths = new Set([join(ROOT, '.cache/setup.lock'), join(CACHE, 'setup.lock')]);
  const releases = [];
  try {
    for (const path of paths) releases.push(await lockFile(path, python));
    return await work();
  } finally {
    releases.reverse().forEach((release) => release());
  }
}

/**
 * Waits for the kernel's lock on a file. The commands of the set-up keep it open too: when this process is killed, the
 * lock stays until the command that it left running ends. What the file holds is for people to read.
 * @returns what gives it back
 * @throws SetupError
 * @public its spec calls it in processes of their own
 */
export async function lockFile(path, python) {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, 'a+', 0o644);
  try {
    if (!(await flock(python, file, path))) {
      console.log(
        `Set-up: waiting for another one, process ${readFileSync(path, 'utf8').trim() || 'unknown'} (${path})`,
      );
      await flock(python, file, path, 'wait');
    }
    ftruncateSync(file);
    writeSync(file, `${process.pid}\n`);
  } catch (error) {
    closeSync(file);
    throw error;
  }
  const forget = keepOpenInCommands(file);
  return () => {
    forget();
    closeSync(file);
  };
}

async function flock(python, file, path, ...args) {
  const child = spawn(python, ['-I', '-c', FLOCK, ...args], { stdio: ['ignore', 'ignore', 'pipe', file] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code === 0) return true;
  if (code === HELD) return false;
  throw new SetupError(`${path} cannot be locked: ${errors.trim() || `${python} ended with ${code}`}.`);
}
