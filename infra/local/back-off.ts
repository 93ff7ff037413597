const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 30_000;
/** A process that lived this long has recovered: its next death starts over with the first delay. */
const RECOVERED_AFTER_MS = 60_000;

/** Doubling delays between the restarts of one process. */
export class BackOff {
  #deaths = 0;

  /** The delay before the next start, after a life of `livedMs`. */
  next(livedMs: number): number {
    if (livedMs >= RECOVERED_AFTER_MS) this.#deaths = 0;
    return Math.min(FIRST_DELAY_MS * 2 ** this.#deaths++, LONGEST_DELAY_MS);
  }
}
