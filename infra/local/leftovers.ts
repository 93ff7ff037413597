import { readFileSync } from 'node:fs';
import { STACK_VARIABLE } from '../processes/bound-child.js';
import { endGroup, waitUntil } from './process-group.js';
import { allPids, groupMembers, identify, isRunning, type ProcessIdentity } from './process-identity.js';
import type { ChildRecord, StackRecord } from './stack-record.js';

const GRACE_MS = 3_000;

/**
 * Stops what a supervisor that was killed left running, and nothing else: process groups whose leader is the recorded
 * one (pid and start time), and on Linux also processes that carry this data directory in their environment
 * (grandchildren of a dead leader, a child that was killed on before it was recorded).
 * @returns the names of the stopped, for the log
 */
export async function stopLeftovers(record: StackRecord, dataDirectory: string): Promise<string[]> {
  const recorded = Object.entries(record.children).filter(([, child]) => isRunning(child));
  await Promise.all(recorded.map(([, child]) => stopGroupOf(child)));
  const marked = markedProcesses(dataDirectory);
  await Promise.all(marked.map(stopProcess));
  return [...recorded.map(([name]) => name), ...marked.map(({ pid }) => `process ${pid}`)];
}

async function stopGroupOf(leader: ChildRecord): Promise<void> {
  const members = groupMembers(leader.pid);
  await endGroup(leader.pid, leader.stopSignal, GRACE_MS);
  await Promise.all(members.map(stopProcess));
}

async function stopProcess(identity: ProcessIdentity): Promise<void> {
  if (!isRunning(identity)) return;
  process.kill(identity.pid, 'SIGKILL');
  await waitUntil(() => !isRunning(identity), GRACE_MS);
}

function markedProcesses(dataDirectory: string): ProcessIdentity[] {
  const mark = `\0${STACK_VARIABLE}=${dataDirectory}\0`;
  return allPids()
    .filter((pid) => pid !== process.pid && `\0${environmentOf(pid)}`.includes(mark))
    .flatMap((pid) => identify(pid) ?? []);
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}
