import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { z } from 'zod';
import type { PythonLimits } from '../../../infra/config/operator/python.js';
import { boundToParent, stackMark } from '../../../infra/processes/bound-child.js';
import { interpreterCommand } from './interpreter-command.js';
import { processUsage } from '../../../infra/processes/process-usage.js';
import { Outage } from '../../failures/outage.js';

const READY = 'ready\n';
/** Characters that a program may print, the value of its last expression included. */
const OUTPUT_CHARACTERS = 32 * 1024;
/** An answer is JSON: six characters for one at most, output and error. */
const MAX_ANSWER = 16 * OUTPUT_CHARACTERS;
const STDERR_KEPT = 2_000;
/** Node, Pyodide's code and the JavaScript side of Python. The program's own memory is limited by V8. */
const RUNTIME_MB = 512;
const WATCH_MS = 100;
/** On the wall, in multiples of the processor time that a program may use: other processes want the processor too. */
const PATIENCE = 20;
const MB = 1024 * 1024;

/** How V8 and the kernel end a process whose own work is at fault. Anything else comes from outside. */
const CRASHES = new Set<NodeJS.Signals | null>(['SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGSEGV', 'SIGTRAP', null]);

const answerSchema = z.strictObject({
  status: z.enum(['finished', 'raised', 'output_limit', 'memory_limit', 'crashed']),
  output: z.string(),
  error: z.string(),
});

export interface Program {
  code: string;
  /** Unsigned 32-bit: of Python's random numbers. */
  seed: number;
}

export interface ProgramOutcome {
  status: z.infer<typeof answerSchema>['status'] | 'time_limit';
  /** What was printed. Empty where the interpreter was killed. */
  output: string;
  /** The traceback of a program that raised. */
  error: string;
}

/** Thrown when an interpreter does not start, or ends for no fault of its program: an outage (I2). */
export class InterpreterLost extends Outage {
  override readonly name = 'InterpreterLost';
}

type Limit = 'time_limit' | 'memory_limit';
type Exit = { code: number | null; signal: NodeJS.Signals | null };

/** One Python interpreter in a child process, for one program. */
export class Interpreter {
  /** Rejects with InterpreterLost. */
  readonly ready: Promise<void>;
  private readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  private readonly ended: Promise<Exit>;
  private stdout = '';
  private stderr = '';

  constructor(
    private readonly limits: PythonLimits,
    libraries: string,
  ) {
    const { env, ...line } = interpreterCommand(limits, libraries);
    const { command, args } = boundToParent(line);
    this.child = spawn(command, args, { cwd: '/', env: { ...env, ...stackMark() }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stdin.on('error', () => undefined); // a child that died says so by its exit
    this.ended = new Promise((resolve) => {
      this.child.on('error', ({ message }) => {
        this.stderr += message;
        resolve({ code: -1, signal: null });
      });
      this.child.on('close', (code, signal) => resolve({ code, signal }));
    });
    this.ready = new Promise((resolve, reject) => {
      this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
        this.stdout += text;
        if (this.stdout.startsWith(READY)) resolve();
        if (this.stdout.length > MAX_ANSWER) this.kill();
      });
      void this.ended.then((exit) => reject(this.lost('did not start', exit)));
    });
    this.ready.catch(() => undefined); // whoever uses the interpreter awaits it
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-STDERR_KEPT);
    });
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /**
   * Runs the program and ends the interpreter. It is killed at its time and memory limits, and when `signal` aborts.
   * @throws InterpreterLost
   */
  async run(program: Program, signal: AbortSignal): Promise<ProgramOutcome> {
    await this.ready;
    let limit: Limit | undefined;
    const killAt = (reached: Limit): void => {
      limit ??= reached;
      this.kill();
    };
    const kill = (): void => this.kill();
    signal.addEventListener('abort', kill, { once: true });
    const timer = setTimeout(() => killAt('time_limit'), this.limits.time_s * PATIENCE * 1_000);
    const before = await processUsage(this.child.pid!);
    const watch = setInterval(() => void this.check(before?.cpuSeconds ?? 0, killAt), WATCH_MS);
    try {
      signal.throwIfAborted();
      this.child.stdin.end(JSON.stringify({ ...program, outputLimit: OUTPUT_CHARACTERS }));
      const exit = await this.ended;
      signal.throwIfAborted();
      return limit === undefined ? this.outcome(exit) : { status: limit, output: '', error: '' };
    } finally {
      clearTimeout(timer);
      clearInterval(watch);
      signal.removeEventListener('abort', kill);
      this.kill();
    }
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  private async check(cpuSecondsBefore: number, exceeded: (limit: Limit) => void): Promise<void> {
    const usage = await processUsage(this.child.pid!);
    if (!usage) return;
    if (usage.cpuSeconds - cpuSecondsBefore > this.limits.time_s) exceeded('time_limit');
    if (usage.residentBytes > (this.limits.memory_mb + RUNTIME_MB) * MB) exceeded('memory_limit');
  }

  private outcome(exit: Exit): ProgramOutcome {
    if (this.stdout.length > MAX_ANSWER) return { status: 'output_limit', output: '', error: '' };
    if (exit.code === 0) return this.answer();
    if (!CRASHES.has(exit.signal)) throw this.lost('ended', exit);
    const status = /out of memory/i.test(this.stderr) ? 'memory_limit' : 'crashed';
    return { status, output: '', error: '' };
  }

  private answer(): ProgramOutcome {
    try {
      return answerSchema.parse(JSON.parse(this.stdout.slice(READY.length)));
    } catch {
      return { status: 'crashed', output: '', error: '' };
    }
  }

  private lost(what: string, { code, signal }: Exit): InterpreterLost {
    return new InterpreterLost(`A Python interpreter ${what}: ${signal ?? `exit code ${code}`}. ${this.stderr}`.trim());
  }
}
