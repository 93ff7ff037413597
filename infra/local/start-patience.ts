import { statSync } from 'node:fs';
import { Silence } from './silence.js';

/** Whatever it writes, a start is over after so many times its patience. */
const AT_MOST = 3;

/**
 * How long a start may still take. On a busy machine a process that loads a model needs longer than on a quiet one:
 * while its log grows it is at work.
 */
export class StartPatience {
  readonly #sinceGrowth = new Silence();
  readonly #inAll = new Silence();
  #size: number;

  /** @param patienceMs how long the log may stay as it is */
  constructor(
    private readonly logFile: string,
    private readonly patienceMs: number,
  ) {
    this.#size = sizeOf(logFile);
  }

  isOver(): boolean {
    const size = sizeOf(this.logFile);
    if (size !== this.#size) this.#sinceGrowth.answered();
    this.#size = size;
    return this.#sinceGrowth.measure() > this.patienceMs || this.#inAll.measure() > AT_MOST * this.patienceMs;
  }
}

/** 0 for a log that is not there. */
function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
