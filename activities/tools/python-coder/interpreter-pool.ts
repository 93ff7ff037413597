import PQueue from 'p-queue';
import type { PythonLimits } from '../../../infra/config/operator/python.js';
import { Interpreter, type Program, type ProgramOutcome } from './interpreter.js';

/**
 * Python interpreters that stand ready. A program gets one of its own, which ends with it: nothing of a program is left
 * for the next one. Interpreters start with the first program.
 */
export class InterpreterPool {
  private readonly queue: PQueue;
  private readonly idle: Interpreter[] = [];
  private closed = false;

  /** `libraries` is the directory that set-up made (infra/local/setup/python-sandbox.mjs). */
  constructor(
    private readonly limits: PythonLimits,
    private readonly libraries: string,
  ) {
    this.queue = new PQueue({ concurrency: limits.interpreters });
  }

  /** Runs a program as soon as an interpreter is free. @throws InterpreterLost */
  run(program: Program, signal: AbortSignal): Promise<ProgramOutcome> {
    return this.queue.add(
      async () => {
        try {
          return await this.take().run(program, signal);
        } finally {
          this.refill();
        }
      },
      { signal },
    );
  }

  /** Ends the interpreters that wait. Those at work end with their calls' signals. */
  close(): void {
    this.closed = true;
    for (const interpreter of this.idle.splice(0)) interpreter.kill();
  }

  private take(): Interpreter {
    for (let next = this.idle.shift(); next; next = this.idle.shift()) if (next.alive) return next;
    return this.start();
  }

  private refill(): void {
    // The program that has just ended still counts as pending.
    const others = this.queue.pending - 1;
    while (!this.closed && others + this.idle.length < this.limits.interpreters) this.idle.push(this.start());
  }

  private start(): Interpreter {
    return new Interpreter(this.limits, this.libraries);
  }
}
