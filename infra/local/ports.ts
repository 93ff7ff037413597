import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { allPids } from './process-identity.js';
import { LocalStackError } from './local-stack-error.js';

/** Below the range that systems take the ports of outgoing connections from: what is free stays free for a restart. */
const FREE_RANGE = { from: 20_000, to: 32_000 };

/** Ports that no browser connects to, whatever a page asks for: those above 1023 of the Fetch standard's "bad ports". */
const CLOSED_TO_BROWSERS = [
  1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
];

/** A port that has to be free is not. The message names the process that holds it, where that can be found out. */
export class PortTaken extends LocalStackError {
  override readonly name = 'PortTaken';
}

/** @throws PortTaken */
export async function requireFreePort(port: number, purpose: string, setting: string): Promise<void> {
  if (await isFree(port)) return;
  const holder = portHolder(port);
  const who = holder ? `process ${holder.pid} (${holder.command})` : 'another process';
  throw new PortTaken(
    `Port ${port} on 127.0.0.1, wanted for ${purpose}, is held by ${who}. Stop it, or choose another port with ${setting}.`,
  );
}

/** A port of 127.0.0.1 that nothing listens on and that is not in `taken`. */
export async function findFreePort(taken: ReadonlySet<number> = new Set()): Promise<number> {
  for (;;) {
    const port = FREE_RANGE.from + Math.floor(Math.random() * (FREE_RANGE.to - FREE_RANGE.from));
    if (!taken.has(port) && (await isFree(port))) return port;
  }
}

/**
 * A loopback address that no web page reaches: its port is closed to browsers, and on Linux, where all of 127.0.0.0/8 is
 * this machine, it cannot be guessed either.
 * @throws PortTaken
 */
export async function findHiddenAddress(): Promise<{ host: string; port: number }> {
  const host =
    process.platform === 'linux' ? ['127', ...randomBytes(3).map((byte) => 1 + (byte % 254))].join('.') : '127.0.0.1';
  for (const port of CLOSED_TO_BROWSERS) if (await isFree(port, host)) return { host, port };
  throw new PortTaken(
    `All ports of ${host} that browsers do not connect to are taken: ${CLOSED_TO_BROWSERS.join(', ')}.`,
  );
}

/** Whether a server could listen on the port of a loopback address right now. */
export async function isFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => resolve(true));
  });
  await new Promise((resolve) => server.close(resolve));
  return free;
}

/** The process that listens on the port; undefined when it belongs to another user or the system does not tell. */
export function portHolder(port: number): { pid: number; command: string } | undefined {
  const pid = holderByProc(port) ?? holderByLsof(port);
  return pid === undefined ? undefined : { pid, command: commandOf(pid) };
}

function holderByProc(port: number): number | undefined {
  const sockets = listeningSockets(port);
  return sockets.size === 0 ? undefined : allPids().find((pid) => openFiles(pid).some((file) => sockets.has(file)));
}

/** `socket:[inode]` of each listening socket, from /proc/net/tcp: local address, remote, state 0A, ..., inode. */
function listeningSockets(port: number): Set<string> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => readOrEmpty(path).split('\n'));
  const fields = lines.map((line) => line.trim().split(/\s+/));
  return new Set(fields.filter((f) => f[1]?.endsWith(suffix) && f[3] === '0A').map((f) => `socket:[${f[9]}]`));
}

function openFiles(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => linkOrEmpty(`/proc/${pid}/fd/${fd}`));
  } catch {
    return [];
  }
}

function holderByLsof(port: number): number | undefined {
  const output = outputOrEmpty('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fp']);
  const pid = /^p(\d+)/m.exec(output)?.[1];
  return pid === undefined ? undefined : Number(pid);
}

function commandOf(pid: number): string {
  return (
    outputOrEmpty('ps', ['-o', 'args=', '-p', String(pid)])
      .trim()
      .slice(0, 120) || 'unknown command'
  );
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function linkOrEmpty(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function outputOrEmpty(command: string, args: string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}
