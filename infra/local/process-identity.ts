import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** A process beyond doubt: pids are reused, a pid with its start time is not. */
export interface ProcessIdentity {
  pid: number;
  /** Clock ticks since boot on Linux, `ps -o lstart` elsewhere: compared, never interpreted. */
  startTime: string;
}

/** The identity of a running process; undefined when there is none with this pid, or only its zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  const startTime = existsSync('/proc/self/stat') ? readStat(pid)?.startTime : startTimeByPs(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

/** Whether exactly this process still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTime === identity.startTime;
}

/** Whether two identities are of one process. */
export function isSame(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return one.pid === other.pid && one.startTime === other.startTime;
}

/** The identity of this process. */
export function identifySelf(): ProcessIdentity {
  const identity = identify(process.pid);
  if (!identity) throw new Error('This process does not find itself in the process table.');
  return identity;
}

/** The running processes of a process group, as far as /proc tells; empty where there is no /proc. */
export function groupMembers(group: number): ProcessIdentity[] {
  return allPids().flatMap((pid) => {
    const stat = readStat(pid);
    return stat?.group === group ? [{ pid, startTime: stat.startTime }] : [];
  });
}

/** Every pid of /proc; empty where there is no /proc. */
export function allPids(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/** /proc/<pid>/stat: `pid (command) state ppid pgrp ... starttime(22)`; the command may hold spaces and parentheses. */
function readStat(pid: number): { group: number; startTime: string } | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, , group] = fields;
  const startTime = fields[19];
  if (state === 'Z' || state === 'X' || startTime === undefined) return undefined;
  return { group: Number(group), startTime };
}

function startTimeByPs(pid: number): string | undefined {
  try {
    const output = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return output === '' || output.startsWith('Z') ? undefined : output.slice(output.indexOf(' ')).trim();
  } catch {
    return undefined;
  }
}
