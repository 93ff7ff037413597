import { readFileSync } from 'node:fs';

/** Clock ticks per second and bytes per page on Linux. */
const TICKS = 100;
const PAGE = 4096;

/** Processor seconds that a process and its children, ended and living, have used; of this one, without the living. */
export function processorSeconds(pid: number): number {
  const fields = statFields(pid);
  const own = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0) / TICKS;
  if (pid === process.pid) return own;
  return childrenOf(pid).reduce((sum, child) => sum + secondsOfChild(child), own);
}

/** Nothing for one that ended since it was listed: its parent has its seconds from then on. */
function secondsOfChild(pid: number): number {
  try {
    return processorSeconds(pid);
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return 0;
    throw error;
  }
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

/** Resident memory of a process, in MiB. */
export function residentMiB(pid: number): number {
  return (Number(statFields(pid)[21]) * PAGE) / 2 ** 20;
}

/** Fields of /proc/PID/stat after the command's name, which may hold spaces. */
function statFields(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}
