import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BackOff } from './back-off.js';
import { endGroup, signalGroup } from './process-group.js';

const CHECK_INTERVAL_MS = 200;
const STOP_GRACE_MS = 5_000;
/** A process that dies this often before its first sign of health will not come up by itself. */
const EARLY_DEATHS = 3;
const LOG_TAIL_LINES = 25;

export interface ProcessDefinition {
  name: string;
  command: string;
  args: string[];
  /** The whole environment of the process. */
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** Where PostgreSQL must not run as root. */
  user?: { uid: number; gid: number };
  stopSignal: NodeJS.Signals;
  logFile: string;
  /** Clears what an earlier life of the process left; called before every start. */
  prepare?: () => Promise<void>;
  /** Rejects while the process with this pid is not healthy yet. */
  check: (pid: number) => Promise<void>;
  /** How long the first start may take. */
  patienceMs: number;
}

export type ProcessEvent =
  | { type: 'starting'; name: string }
  | { type: 'healthy'; name: string; pid: number; seconds: number }
  | { type: 'exit'; name: string; pid: number; code: number | null; signal: NodeJS.Signals | null }
  | { type: 'restart'; name: string; delayMs: number };

/** A process did not come up. The message holds the end of its log. */
export class StartFailed extends Error {
  override readonly name = 'StartFailed';
}

/** One process of the stack: its own process group, its log file, and a restart with back-off whenever it dies. */
export class SupervisedProcess {
  #child: ChildProcess | undefined;
  #lastPid = 0;
  #startedAt = 0;
  #deaths = 0;
  #wasHealthy = false;
  #stopped = new AbortController();
  #lives: Promise<void> | undefined;
  readonly #backOff = new BackOff();

  constructor(
    readonly definition: ProcessDefinition,
    private readonly emit: (event: ProcessEvent) => void,
    /** Called after every spawn, with the new pid. */
    private readonly onSpawn: (pid: number) => void,
  ) {}

  /** The pid of the present life, or of the last one while the process waits for its restart. */
  get pid(): number {
    return this.#lastPid;
  }

  /** Starts the process and waits for health. From then on it is restarted whenever it dies. @throws StartFailed */
  async start(): Promise<void> {
    this.#lives = this.#keepAlive();
    const deadline = Date.now() + this.definition.patienceMs;
    const failed = () => this.#deaths >= EARLY_DEATHS || Date.now() > deadline;
    if (await this.#becomesHealthy(failed)) return;
    const stoppedMeanwhile = this.#stopped.signal.aborted;
    await this.stop();
    if (stoppedMeanwhile) throw new StartFailed(`${this.definition.name} was stopped while it started.`);
    const how = this.#deaths >= EARLY_DEATHS ? `died ${this.#deaths} times` : 'did not become healthy in time';
    throw new StartFailed(`${this.definition.name} ${how}. The end of ${this.definition.logFile}:\n${this.#logTail()}`);
  }

  /** Ends the process and its group, and keeps it ended. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    if (this.#child?.pid) await endGroup(this.#child.pid, this.definition.stopSignal, STOP_GRACE_MS);
    await this.#lives;
  }

  /** For the exit handler of a supervisor that crashes: nothing asynchronous runs there. */
  killNow(): void {
    this.#stopped.abort();
    if (this.#child?.pid) signalGroup(this.#child.pid, 'SIGKILL');
  }

  async #keepAlive(): Promise<void> {
    const { name } = this.definition;
    while (!this.#stopped.signal.aborted) {
      await this.#liveOnce();
      if (this.#stopped.signal.aborted) return;
      this.#deaths += 1;
      const delayMs = this.#backOff.next(Date.now() - this.#startedAt);
      this.emit({ type: 'restart', name, delayMs });
      await sleep(delayMs, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
    }
  }

  /** One life of the process: resolves when it is over. */
  async #liveOnce(): Promise<void> {
    const { name, prepare } = this.definition;
    this.#startedAt = Date.now();
    try {
      await prepare?.();
      if (this.#stopped.signal.aborted) return;
      const over = this.#spawn();
      if (this.#wasHealthy) void this.#reportHealth(this.#lastPid);
      const [code, signal] = await over;
      signalGroup(this.#lastPid, 'SIGKILL'); // what the dead process has left of its group
      if (!this.#stopped.signal.aborted) this.emit({ type: 'exit', name, pid: this.#lastPid, code, signal });
    } catch (error) {
      appendLine(this.definition.logFile, `Cannot start ${name}: ${(error as Error).message}`);
    } finally {
      this.#child = undefined;
    }
  }

  /** @returns exit code and signal, when the process has ended */
  #spawn(): Promise<[number | null, NodeJS.Signals | null]> {
    const { command, args, env, cwd, user, logFile } = this.definition;
    const log = openLog(logFile);
    const child = spawn(command, args, { cwd, env, ...user, detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#child = child;
    if (child.pid) {
      this.#lastPid = child.pid;
      this.onSpawn(child.pid);
    }
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve([code, signal]));
    });
  }

  async #becomesHealthy(failed: () => boolean): Promise<boolean> {
    this.emit({ type: 'starting', name: this.definition.name });
    const since = Date.now();
    while (!failed() && !this.#stopped.signal.aborted) {
      if (await this.#isHealthy()) {
        this.#wasHealthy = true;
        this.#emitHealthy(since);
        return true;
      }
      await sleep(CHECK_INTERVAL_MS, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
    }
    return false;
  }

  /** After a restart: says when the process with this pid is healthy, and nothing if it dies before. */
  async #reportHealth(pid: number): Promise<void> {
    const since = this.#startedAt;
    const isOver = () => this.#stopped.signal.aborted || this.#child?.pid !== pid;
    while (!isOver()) {
      if (await this.#isHealthy()) return isOver() ? undefined : this.#emitHealthy(since);
      await sleep(CHECK_INTERVAL_MS);
    }
  }

  async #isHealthy(): Promise<boolean> {
    const pid = this.#child?.pid;
    if (!pid) return false;
    return this.definition.check(pid).then(
      () => this.#child?.pid === pid,
      () => false,
    );
  }

  #emitHealthy(since: number): void {
    this.emit({
      type: 'healthy',
      name: this.definition.name,
      pid: this.#lastPid,
      seconds: (Date.now() - since) / 1000,
    });
  }

  #logTail(): string {
    return readFileSync(this.definition.logFile, 'utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
  }
}

function openLog(path: string): number {
  mkdirSync(dirname(path), { recursive: true });
  return openSync(path, 'a', 0o600);
}

function appendLine(path: string, line: string): void {
  const log = openLog(path);
  try {
    writeSync(log, `${line}\n`);
  } finally {
    closeSync(log);
  }
}
