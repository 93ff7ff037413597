import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { promisify } from 'node:util';
import { describeRoom, isFull, roomOf } from '../../infra/local/disk-space.js';
import { PYTHON, PYTHON_ENVIRONMENT } from '../../infra/local/installed.js';
import { stackPaths, type StackOptions } from '../../infra/local/stack-options.js';
import { ok, problem, warning, type Finding } from './finding.js';

const GIB = 1024 ** 3;
/** What set-up downloads and builds. */
const SET_UP_BYTES = 12 * GIB;
/** A training run writes a checkpoint a step and keeps the last ones; PostgreSQL and Temporal write their logs ahead. */
const SPACIOUS_FROM = 2 * GIB;
/** What the local stack takes while the quickstart trains. */
const STACK_BYTES = 4 * GIB;
/** Clocks of machines that are set by the network differ by less. */
const SKEW_MS = 60_000;
const COMMAND_TIMEOUT_MS = 20_000;

/** @param isSetUp whether set-up has anything left to download */
export function checkDisk({ dataDirectory, cacheDirectory }: StackOptions, isSetUp: boolean): Finding[] {
  const elsewhere = 'Make room, or name a directory on another disk: AGENTFLOW_DATA=DIR npm run up';
  const room = roomOf(dataDirectory);
  const said = `${dataDirectory}: ${describeRoom(room)}`;
  const data = isFull(room)
    ? problem('disk', `${said}; it is full, and nothing can be written`, elsewhere)
    : room.bytes < SPACIOUS_FROM
      ? warning('disk', `${said}; a long run may fill it`, elsewhere)
      : ok('disk', said);
  const cache = roomOf(cacheDirectory);
  if (isSetUp || cache.bytes >= SET_UP_BYTES) return [data];
  const needs = `${cacheDirectory}: ${describeRoom(cache)}; set-up needs about ${SET_UP_BYTES / GIB} GiB`;
  return [data, warning('disk', needs, 'AGENTFLOW_CACHE=DIR npm run setup')];
}

/** @param available bytes that processes may still take, by the container's limit if there is one */
export function checkMemory(isRunning: boolean, available = process.availableMemory()): Finding[] {
  const said = `${(available / GIB).toFixed(1)} GiB available`;
  if (isRunning || available >= STACK_BYTES) return [ok('memory', said)];
  const needs = `${said}; the quickstart takes about ${STACK_BYTES / GIB} GiB, and the kernel kills what asks for more`;
  return [warning('memory', needs)];
}

/** @param ask runs a program and gives its output; undefined if it is not there or fails */
export async function checkGpu(ask: (program: string, args: string[]) => Promise<string | undefined> = output) {
  const query = ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader'];
  const listed = (await ask('nvidia-smi', query))?.trim();
  if (!listed) return [ok('gpu', 'none; trainer and embedded policy server compute on the CPU')];
  const names = listed.split('\n').join('; ');
  const seen = (await ask(PYTHON, ['-c', 'import torch; print(torch.cuda.is_available())']))?.trim();
  if (seen === 'True') return [ok('gpu', names)];
  return [
    warning(
      'gpu',
      `${names}; PyTorch cannot use it, so the CPU is used: its driver may be older than CUDA needs`,
      'nvidia-smi',
    ),
  ];
}

/** Files that come from the future tell that the clock was set back: times of events and retention go by it. */
export function checkClock({ dataDirectory }: StackOptions, now = Date.now()): Finding[] {
  const { record, api, logs } = stackPaths(dataDirectory);
  const newest = Math.max(
    ...[record, api, logs].map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0),
  );
  if (newest - now <= SKEW_MS) return [ok('clock', new Date(now).toISOString())];
  const message = `It is ${new Date(now).toISOString()} here, but the stack wrote at ${new Date(newest).toISOString()}`;
  return [warning('clock', `${message}: the clock was set back`, 'timedatectl set-ntp true')];
}

/** @param date the header of an answer */
export function checkSkew(date: string | null, now = Date.now()): Finding[] {
  const skew = date === null ? Number.NaN : Date.parse(date) - now;
  if (!(Math.abs(skew) > SKEW_MS)) return [];
  const message = `The API's clock is ${Math.round(Math.abs(skew) / 1000)} s ${skew > 0 ? 'ahead of' : 'behind'} this one`;
  return [warning('clock', message, 'timedatectl set-ntp true')];
}

async function output(program: string, args: string[]): Promise<string | undefined> {
  try {
    const env = { ...process.env, ...PYTHON_ENVIRONMENT };
    return (await promisify(execFile)(program, args, { timeout: COMMAND_TIMEOUT_MS, env })).stdout;
  } catch {
    return undefined;
  }
}
