/**
 * A time limit of one call, beside the signal that cancels it.
 *
 * In the place of `AbortSignal.timeout` and `AbortSignal.any`: their timer goes on until it fires, and keeps alive what the
 * call held, its prompt and its activity. A worker that makes fifty calls a second with a limit of two minutes would hold
 * six thousand of them.
 */
export class TimeLimit {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private readonly cancel: () => void;
  private over = false;

  /** @param outer cancels the call; its reason becomes the signal's */
  constructor(
    private readonly outer: AbortSignal,
    milliseconds: number,
  ) {
    this.cancel = () => this.controller.abort(outer.reason);
    this.timer = setTimeout(() => {
      this.over = true;
      this.controller.abort(new DOMException(`No end within ${milliseconds / 1000} s.`, 'TimeoutError'));
    }, milliseconds);
    if (outer.aborted) this.cancel();
    else outer.addEventListener('abort', this.cancel, { once: true });
  }

  /** For the call. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Whether the time, and not the outer signal, has ended the call. */
  get isOver(): boolean {
    return this.over;
  }

  /** To be called when the call has ended, in whatever way. */
  end(): void {
    clearTimeout(this.timer);
    this.outer.removeEventListener('abort', this.cancel);
  }
}
