import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const KILOBYTE = 1024;
/** Linux counts processor time for user programs in hundredths of a second, whatever its own clock. */
const TICKS_PER_SECOND = 100;

export interface ProcessUsage {
  /** Of processor time, all threads together. */
  cpuSeconds: number;
  residentBytes: number;
}

/** What a process has used and holds, or undefined where it has ended. */
export async function processUsage(pid: number): Promise<ProcessUsage | undefined> {
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

async function fromProc(pid: number): Promise<ProcessUsage | undefined> {
  const read = (file: string): Promise<string> => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
  const [stat, status] = await Promise.all([read('stat'), read('status')]);
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  if (stat === '' || !resident) return undefined;
  // The name in parentheses may hold spaces: fields are counted from behind it, where the third one comes.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [userTicks, systemTicks] = [Number(fields[11]), Number(fields[12])];
  return {
    cpuSeconds: (userTicks + systemTicks) / TICKS_PER_SECOND,
    residentBytes: Number(resident[1]) * KILOBYTE,
  };
}

async function fromPs(pid: number): Promise<ProcessUsage | undefined> {
  const ps = promisify(execFile)('ps', ['-o', 'rss=,time=', '-p', String(pid)]);
  const { stdout } = await ps.catch(() => ({ stdout: '' }));
  const match = /^\s*(\d+)\s+(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)\s*$/.exec(stdout);
  if (!match) return undefined;
  const [kilobytes, days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return {
    cpuSeconds: ((days * 24 + hours) * 60 + minutes) * 60 + seconds,
    residentBytes: kilobytes * KILOBYTE,
  };
}
