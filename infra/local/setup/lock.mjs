import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CACHE } from './paths.mjs';

const LOCK = join(CACHE, 'setup.lock');

/** Runs `work` while no other process of this checkout is in its set-up: two `npm ci` at once wreck both. */
export async function withSetupLock(work) {
  mkdirSync(CACHE, { recursive: true });
  for (let waited = false; !tryLock(); waited = true) {
    if (!waited) console.log(`Set-up: waiting for the one of process ${readFileSync(LOCK, 'utf8')}`);
    await sleep(500);
  }
  try {
    return await work();
  } finally {
    rmSync(LOCK, { force: true });
  }
}

function tryLock() {
  try {
    writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (!holderIsAlive()) rmSync(LOCK, { force: true });
    return false;
  }
}

function holderIsAlive() {
  try {
    process.kill(Number(readFileSync(LOCK, 'utf8')), 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
