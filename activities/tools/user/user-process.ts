import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { getDefaultEnvironment } from '@modelcontextprotocol/sdk/client/stdio.js';
import { z } from 'zod';
import { PROJECT_ROOT } from '../../../infra/config/project-root.js';
import { boundToParent, stackMark } from '../../../infra/processes/bound-child.js';
import { passOnRedacted } from '../../../infra/redaction/pass-on-redacted.js';
import { Outage } from '../../failures/outage.js';
import { processUsage } from '../../../infra/processes/process-usage.js';
import { mistake, ToolNotCalled, ToolTimedOut, type Mistake, type ToolOutcome } from '../tool.js';
import { plainErrorSchema, toError } from './plain-error.js';

/** JavaScript as it stands: it is not compiled. */
const MAIN = join(PROJECT_ROOT, 'activities/tools/user/process/main.mjs');
const LOAD_MS = 60_000;
/** For a process to show that its event loop turns, and for a call to end that nobody waits for any more. */
const GRACE_MS = 5_000;
/** For what a process said before it ended. */
const LAST_WORDS_MS = 1_000;
const WATCH_MS = 100;
/** Of Node itself, beside the heap. */
const RUNTIME_MB = 128;
const MB = 1024 * 1024;
const STDERR_KEPT = 4_000;

/** How a process is ended from outside. Whatever else ends it is the doing of what runs in it. */
const FROM_OUTSIDE = new Set<NodeJS.Signals | null>(['SIGHUP', 'SIGINT', 'SIGKILL', 'SIGQUIT', 'SIGTERM']);

const loadedModule = z.object({ path: z.string(), failed: z.string().optional(), exported: z.unknown().optional() });
const endOfCall = z.object({
  id: z.int(),
  result: z.string().optional(),
  mistake: z.string().optional(),
  kind: z.enum(['failed', 'output_limit']).optional(),
  error: plainErrorSchema.optional(),
});
const messageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('loading'), path: z.string() }),
  loadedModule.extend({ type: z.literal('loaded') }),
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('pong') }),
  z.object({ type: z.literal('retired') }),
  endOfCall.extend({ type: z.literal('end') }),
]);

/** What a module of the operator's folder exports; `failed` says why it could not be loaded. */
export type LoadedModule = z.infer<typeof loadedModule>;

export interface UserCall {
  /** Of the tool's module. */
  path: string;
  tool: string;
  input: unknown;
  seed: string;
  timeoutMs: number;
}

/** Thrown when a process ends before it has loaded the tools: nothing was called. */
class UserToolsNotLoaded extends ToolNotCalled {
  override readonly name = 'UserToolsNotLoaded';
}

/** Thrown for every call that is open in a process when something that runs in it ends it. */
export class UserProcessEnded extends Error {
  override readonly name = 'UserProcessEnded';
  constructor(readonly words: Mistake) {
    super(`A process of the user tools ended: ${words.mistake}`);
  }
}

/** Thrown for every call that is open in a process when it is ended from outside: an outage (I2). */
class UserProcessLost extends Outage {
  override readonly name = 'UserProcessLost';
}

interface OpenCall {
  resolve(outcome: ToolOutcome): void;
  reject(error: Error): void;
  /** Nobody waits for it any more. */
  isAbandoned: boolean;
}

/** A child process that has loaded the user tools and runs calls of them, many at once. It starts when it is made. */
export class UserProcess {
  /** Rejects with UserToolsNotLoaded. */
  readonly modules: Promise<readonly LoadedModule[]>;
  private readonly child: ChildProcess;
  private readonly loaded: LoadedModule[] = [];
  private readonly open = new Map<number, OpenCall>();
  private readonly pings = new Set<() => void>();
  private ready: () => void = () => undefined;
  private notReady: (error: Error) => void = () => undefined;
  private begun = 0;
  private waited = 0;
  private at = 'before the first module';
  private stderr = '';
  private isRetired = false;
  private hasEnded = false;
  /** Why it was ended here. */
  private limit?: Mistake;

  constructor(
    paths: readonly string[],
    private readonly memoryMb: number,
    secrets: Record<string, string>,
  ) {
    this.modules = new Promise((resolve, reject) => {
      this.ready = () => resolve(this.loaded);
      this.notReady = reject;
    });
    const { command, args } = boundToParent({
      command: process.execPath,
      args: [`--max-old-space-size=${memoryMb}`, MAIN, ...paths],
    });
    // As an MCP server's: the worker's own keys are not for it.
    const env = { ...getDefaultEnvironment(), ...secrets, ...stackMark() };
    this.child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    this.listen(this.child);
    this.watch(this.child);
  }

  /** Whether it may be given calls. */
  get takesCalls(): boolean {
    return !this.isRetired && !this.hasEnded;
  }

  /** Calls that somebody waits for. */
  get openCalls(): number {
    return this.waited;
  }

  /** Whether it was given one call only: that one, and no other, ended it. */
  get hadOneCall(): boolean {
    return this.begun === 1;
  }

  /**
   * Runs a call. At its timeout its signal is aborted; a process that cannot even say that it heard is ended.
   * @throws UserProcessEnded; outages: UserToolsNotLoaded, UserProcessLost, ToolTimedOut; what the tool threw; the reason
   * of `signal`
   */
  async call({ timeoutMs, tool, ...call }: UserCall, signal: AbortSignal): Promise<ToolOutcome> {
    this.begun += 1;
    this.waited += 1;
    const id = this.begun;
    const abandon = () => this.abandon(id, signal.reason as Error);
    let timer: NodeJS.Timeout | undefined;
    try {
      await this.modules;
      signal.throwIfAborted();
      if (this.hasEnded) throw new UserToolsNotLoaded('The process of the user tools ended before the call.');
      signal.addEventListener('abort', abandon, { once: true });
      timer = setTimeout(() => void this.timeOut(id, tool, timeoutMs), timeoutMs);
      const end = new Promise<ToolOutcome>((resolve, reject) => {
        this.open.set(id, { resolve, reject, isAbandoned: false });
      });
      this.send({ type: 'call', id, ...call });
      return await end;
    } finally {
      this.waited -= 1;
      clearTimeout(timer);
      signal.removeEventListener('abort', abandon);
    }
  }

  /** Takes no more calls, and ends when nobody waits for one any more. */
  retire(): void {
    this.isRetired = true;
    if ([...this.open.values()].every(({ isAbandoned }) => isAbandoned)) this.kill();
  }

  kill(): void {
    this.isRetired = true;
    this.child.kill('SIGKILL');
  }

  private send(message: object): void {
    // A child that does not listen any more says why by its end.
    if (this.child.connected) this.child.send(message, () => undefined);
  }

  private listen(child: ChildProcess): void {
    const [stdout, stderr] = [child.stdout!, child.stderr!];
    passOnRedacted(stdout, process.stdout);
    passOnRedacted(stderr, process.stderr);
    stderr.on('data', (text: string) => (this.stderr = (this.stderr + text).slice(-STDERR_KEPT)));
    const saidAll = Promise.all([
      new Promise<void>((resolve) => child.once('disconnect', resolve)),
      new Promise<void>((resolve) => stderr.once('close', resolve)),
    ]);
    child.on('message', (message) => this.hear(message));
    child.on('error', ({ message }) => this.end(message, null));
    child.on('exit', (code, signal) => {
      // What a child of its own holds open is not waited for.
      const heard = Promise.race([saidAll, sleep(LAST_WORDS_MS, undefined, { ref: false })]);
      void heard.then(() => this.end(signal ?? `exit code ${code}`, signal));
    });
  }

  private hear(heard: unknown): void {
    const { data: message } = messageSchema.safeParse(heard);
    if (!message) return; // the tools' own code may use the channel too
    switch (message.type) {
      case 'loading':
        this.at = message.path;
        return;
      case 'loaded':
        this.loaded.push(message);
        return;
      case 'ready':
        return this.ready();
      case 'pong':
        return this.pings.forEach((answered) => answered());
      case 'retired':
        return this.retire();
      case 'end':
        return this.settle(message);
    }
  }

  private settle({ id, result = '', mistake: words, kind = 'failed', error }: z.infer<typeof endOfCall>): void {
    const call = this.open.get(id);
    this.open.delete(id);
    if (error) call?.reject(toError(error));
    else call?.resolve(words === undefined ? { result } : mistake(kind, words));
    if (this.isRetired) this.retire();
  }

  private async timeOut(id: number, tool: string, timeoutMs: number): Promise<void> {
    const reason = new ToolTimedOut(tool, timeoutMs);
    this.send({ type: 'abort', id, reason: reason.message });
    if (await this.answers()) return this.abandon(id, reason);
    const seconds = (timeoutMs + GRACE_MS) / 1000;
    this.endFor(mistake('time_limit', `the tool was still computing after ${seconds} s, and was stopped`));
  }

  /** Ends the wait for a call. One that does not come to an end then takes the process out of service. */
  private abandon(id: number, reason: Error): void {
    const call = this.open.get(id);
    if (!call) return;
    this.send({ type: 'abort', id, reason: reason.message });
    call.isAbandoned = true;
    call.reject(reason);
    setTimeout(() => this.open.has(id) && this.retire(), GRACE_MS).unref();
  }

  private async answers(): Promise<boolean> {
    let answered = (): void => undefined;
    const answer = new Promise<true>((resolve) => (answered = () => resolve(true)));
    this.pings.add(answered);
    this.send({ type: 'ping' });
    const heard = await Promise.race([answer, sleep(GRACE_MS, false, { ref: false })]);
    this.pings.delete(answered);
    return heard;
  }

  private watch({ pid }: ChildProcess): void {
    const late = setTimeout(() => this.kill(), LOAD_MS);
    const watch = setInterval(() => void this.checkMemory(pid), WATCH_MS);
    const loaded = () => clearTimeout(late);
    this.modules.then(loaded, loaded);
    this.child.once('exit', () => clearInterval(watch)).once('error', () => clearInterval(watch));
  }

  private async checkMemory(pid: number | undefined): Promise<void> {
    const usage = pid === undefined ? undefined : await processUsage(pid);
    if (usage && usage.residentBytes > (this.memoryMb + RUNTIME_MB) * MB) this.endFor(this.outOfMemory());
  }

  private outOfMemory(): Mistake {
    return mistake('memory_limit', `the tool needed more than ${this.memoryMb} MB of memory, and was stopped`);
  }

  private endFor(limit: Mistake): void {
    this.limit ??= limit;
    this.kill();
  }

  private end(how: string, signal: NodeJS.Signals | null): void {
    this.hasEnded = true;
    this.notReady(new UserToolsNotLoaded(`${this.at}: the process of the user tools ended while loading: ${how}`));
    const error = this.reasonOfEnd(how, signal);
    for (const call of this.open.values()) call.reject(error);
    this.open.clear();
  }

  private reasonOfEnd(how: string, signal: NodeJS.Signals | null): Error {
    if (this.limit) return new UserProcessEnded(this.limit);
    if (FROM_OUTSIDE.has(signal))
      return new UserProcessLost(`A process of the user tools was ended from outside: ${how}.`);
    if (/heap out of memory/.test(this.stderr)) return new UserProcessEnded(this.outOfMemory());
    return new UserProcessEnded(mistake('failed', `the tool ended the process that it runs in (${how})`));
  }
}
