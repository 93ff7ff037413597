import { spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync, closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { boundToParent } from '../processes/bound-child.js';
import { LIFELINE_VARIABLE } from '../processes/lifeline.js';
import { BackOff } from './back-off.js';
import { PRIVATE_UMASK } from './private-files.js';
import { endGroup, signalGroup } from './process-group.js';
import { Silence } from './silence.js';
import { StartPatience } from './start-patience.js';
import type { ProcessEvent } from './stack-events.js';
import { LocalStackError } from './local-stack-error.js';

const CHECK_INTERVAL_MS = 200;
/** The first file descriptor after the standard three. */
const LIFELINE_FD = 3;
const WATCH_INTERVAL_MS = 500;
/** Between two questions to a process that does not beat by itself. */
const ASK_INTERVAL_MS = 5_000;
/** A silence is told after so long, if the process is not restarted before. */
const TOLD_AFTER_MS = 15_000;
/** Between two looks at a disk that is full. */
const ROOM_INTERVAL_MS = 1_000;
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
  /** What the kernel sends it when the supervisor ends without having stopped it. */
  orphanSignal: NodeJS.Signals;
  logFile: string;
  /** Clears what an earlier life of the process left; called before every start. */
  prepare?: () => Promise<void>;
  /** Rejects while the process with this pid is not healthy yet. */
  check: (pid: number) => Promise<void>;
  /** How long a start may take without a new line in its log; thrice as long in all. */
  patienceMs: number;
  liveness: Liveness;
}

/** How a process shows, from its first health on, that it does not hang. */
export interface Liveness {
  /** Rejects if the process gives no answer at all, within seconds. Without it, the process beats on its lifeline. */
  ask?: () => Promise<void>;
  /** A silence of so long ends the process. Longer than it is ever silent while it works. */
  silenceMs: number;
  /** What a restart costs, for the log. */
  lost: string;
}

/** What a supervised process needs of its supervisor. */
export interface Supervisor {
  emit(event: ProcessEvent): void;
  /** Called after every spawn. If it throws the process is stopped: one that nobody has on record must not run. */
  record(pid: number): void;
  /** Whether the disk takes writes. While it does not, nothing is started and no silence is held against a process. */
  hasRoom(): boolean;
}

/** For a process that its caller starts and stops within one call: nobody is told and nothing is recorded. */
export const UNOBSERVED: Supervisor = { emit: () => undefined, record: () => undefined, hasRoom: () => true };

/** A process did not come up. The message holds the end of its log. */
export class StartFailed extends LocalStackError {
  override readonly name = 'StartFailed';
}

/**
 * One process of the stack: its own process group, its log file, and a restart with back-off whenever it dies or hangs.
 * It is bound to this process's life by the kernel.
 */
export class SupervisedProcess {
  #child: ChildProcess | undefined;
  #silence = new Silence();
  #lastPid = 0;
  #startedAt = 0;
  #deaths = 0;
  #wasHealthy = false;
  /** The pid of the life that has become healthy. */
  #healthyPid = 0;
  #cannotStart = '';
  #noLog = '';
  #stopped = new AbortController();
  #lives: Promise<void> | undefined;
  readonly #backOff = new BackOff();

  constructor(
    readonly definition: ProcessDefinition,
    private readonly supervisor: Supervisor,
  ) {}

  /** The pid of the present life, or of the last one while the process waits for its restart. */
  get pid(): number {
    return this.#lastPid;
  }

  /** Starts the process and waits for health. From then on it is restarted whenever it dies. @throws StartFailed */
  async start(): Promise<void> {
    this.#lives = this.#keepAlive();
    const patience = this.#startPatience();
    const failed = () => this.#deaths >= EARLY_DEATHS || patience.isOver();
    if (await this.#becomesHealthy(failed)) return;
    const stoppedMeanwhile = this.#stopped.signal.aborted;
    await this.stop();
    if (stoppedMeanwhile) throw new StartFailed(`${this.definition.name} was stopped while it started.`);
    const how = this.#deaths >= EARLY_DEATHS ? `died ${this.#deaths} times` : 'did not become healthy in time';
    const why = this.#cannotStart === '' ? '' : ` It cannot start: ${this.#cannotStart}.`;
    throw new StartFailed(
      `${this.definition.name} ${how}.${why} The end of ${this.definition.logFile}:\n${this.#logTail()}`,
    );
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
      this.supervisor.emit({ type: 'restart', name, delayMs });
      await this.#pause(delayMs);
      while (!this.supervisor.hasRoom() && !this.#stopped.signal.aborted) await this.#pause(ROOM_INTERVAL_MS);
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
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
      void this.#watch(this.#lastPid);
      const [code, signal] = await over;
      signalGroup(this.#lastPid, 'SIGKILL'); // what the dead process has left of its group
      if (!this.#stopped.signal.aborted) this.supervisor.emit({ type: 'exit', name, pid: this.#lastPid, code, signal });
    } catch (error) {
      this.#tellCannotStart((error as Error).message);
    } finally {
      this.#child = undefined;
    }
  }

  /**
   * A process counts as started when it is on record.
   * @returns exit code and signal, when the process has ended
   * @throws what recording throws, when the process that could not be recorded has been killed
   */
  #spawn(): Promise<[number | null, NodeJS.Signals | null]> {
    const child = this.#spawnChild();
    this.#silence = new Silence();
    const silence = this.#silence;
    const lifeline = child.stdio[LIFELINE_FD] as Readable | null | undefined;
    lifeline?.on('data', () => silence.answered()).on('error', () => undefined);
    const over = new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve([code, signal]));
    });
    if (!child.pid) return over;
    this.#lastPid = child.pid;
    try {
      this.supervisor.record(child.pid);
    } catch (error) {
      signalGroup(child.pid, 'SIGKILL');
      return over.then(() => {
        throw new Error(`it cannot be recorded (${(error as Error).message}), so it was stopped again`);
      });
    }
    this.#child = child;
    this.#cannotStart = '';
    return over;
  }

  #spawnChild(): ChildProcess {
    const { command, args, env, cwd, user, logFile, orphanSignal, liveness } = this.definition;
    const bound = boundToParent({ command, args }, orphanSignal, env['PATH']);
    const beats = !liveness.ask;
    const log = this.#openLog(logFile);
    const umask = process.umask(PRIVATE_UMASK); // inherited: spawn has no option for it
    try {
      return spawn(bound.command, bound.args, {
        cwd,
        env: beats ? { ...env, [LIFELINE_VARIABLE]: String(LIFELINE_FD) } : env,
        ...user,
        detached: true,
        stdio: ['ignore', log, log, ...(beats ? ['pipe' as const] : [])],
      });
    } finally {
      process.umask(umask);
      closeSync(log);
    }
  }

  /** A log that cannot be written ends no process: it runs without one, which is said once for each reason. */
  #openLog(path: string): number {
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      const log = openSync(path, 'a', 0o600);
      this.#noLog = '';
      return log;
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#noLog) this.supervisor.emit({ type: 'no-log', name: this.definition.name, message });
      this.#noLog = message;
      return openSync('/dev/null', 'a');
    }
  }

  /** Once for each reason: a process that cannot start is tried again and again. */
  #tellCannotStart(message: string): void {
    const { name, logFile } = this.definition;
    if (message === this.#cannotStart) return;
    this.#cannotStart = message;
    appendLine(logFile, `Cannot start ${name}: ${message}`);
    this.supervisor.emit({ type: 'cannot-start', name, message });
  }

  /** Kills the life with this pid when it has been silent for too long. */
  async #watch(pid: number): Promise<void> {
    const { name, liveness, patienceMs } = this.definition;
    const silence = this.#silence;
    const start = this.#startPatience();
    const isOver = () => this.#stopped.signal.aborted || this.#child?.pid !== pid;
    const asker = liveness.ask && new Asker(liveness.ask, Math.min(ASK_INTERVAL_MS, liveness.silenceMs / 4));
    let told = false;
    for (; !isOver(); await this.#pause(WATCH_INTERVAL_MS)) {
      asker?.ask(() => silence.answered());
      if (!this.supervisor.hasRoom()) silence.answered();
      const silentMs = silence.measure();
      const healthy = this.#healthyPid === pid;
      const seconds = Math.round(silentMs / 1000);
      const patience = healthy ? liveness.silenceMs : Math.max(liveness.silenceMs, patienceMs);
      if (silentMs >= patience && (healthy || start.isOver())) {
        this.supervisor.emit({ type: 'hung', name, pid, seconds, lost: liveness.lost });
        signalGroup(pid, 'SIGKILL');
        return;
      }
      if (!told && healthy && silentMs >= TOLD_AFTER_MS) {
        told = true;
        this.supervisor.emit({ type: 'silent', name, pid, seconds, patienceSeconds: patience / 1000 });
      } else if (told && silentMs < TOLD_AFTER_MS) {
        told = false;
        this.supervisor.emit({ type: 'answers', name, pid });
      }
    }
  }

  async #becomesHealthy(failed: () => boolean): Promise<boolean> {
    this.supervisor.emit({ type: 'starting', name: this.definition.name });
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
    this.#healthyPid = this.#lastPid;
    this.supervisor.emit({
      type: 'healthy',
      name: this.definition.name,
      pid: this.#lastPid,
      seconds: (Date.now() - since) / 1000,
    });
  }

  #startPatience(): StartPatience {
    const { logFile, patienceMs } = this.definition;
    return new StartPatience(logFile, patienceMs);
  }

  /** Of a line that was written over and over, as a progress bar is, the last state. */
  #logTail(): string {
    try {
      const lines = readFileSync(this.definition.logFile, 'utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES);
      return lines.map((line) => line.trimEnd().split('\r').at(-1)).join('\n');
    } catch (error) {
      return (error as Error).message;
    }
  }
}

/** A log that takes no line (a full disk) changes nothing for the process that it is about. */
function appendLine(path: string, line: string): void {
  try {
    appendFileSync(path, `${line}\n`, { mode: 0o600 });
  } catch {
    // The event says it too.
  }
}

/** Asks a process whether it is there: at an interval, and not again while a question is open. */
class Asker {
  #open = false;
  #next = 0;

  constructor(
    private readonly question: () => Promise<void>,
    private readonly intervalMs: number,
  ) {}

  ask(onAnswer: () => void): void {
    const now = performance.now();
    if (this.#open || now < this.#next) return;
    this.#open = true;
    this.#next = now + this.intervalMs;
    const closed = () => (this.#open = false);
    void this.question()
      .then(onAnswer, () => undefined)
      .finally(closed);
  }
}
