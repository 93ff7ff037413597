/** A step of this process's own clock counts so much at most: what lies beyond, it slept or was stopped itself. */
const LONGEST_STEP_MS = 5_000;

/**
 * How long a process has not answered. Only time counts in which the supervisor itself ran: after a night in which the
 * machine slept, no process looks as if it hung.
 */
export class Silence {
  #ms = 0;
  #last: number;

  /** @param now in milliseconds, from a clock that never goes back */
  constructor(private readonly now: () => number = () => performance.now()) {
    this.#last = now();
  }

  answered(): void {
    this.#ms = 0;
    this.#last = this.now();
  }

  /** Call it often. @returns milliseconds without an answer */
  measure(): number {
    const now = this.now();
    this.#ms += Math.min(now - this.#last, LONGEST_STEP_MS);
    this.#last = now;
    return this.#ms;
  }
}
