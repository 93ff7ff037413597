import { endsInBase64, judgedEnd } from './known-secrets.js';
import { redact } from './redact.js';

/** A line that is longer is passed on in parts. */
const MAX_LINE = 64 * 1024;
/** Shorter lines are no folded base64. */
const SHORTEST_FOLD = 16;

/**
 * Redacts a text that comes in chunks, such as what a process writes to its standard error: a key is found wherever the
 * chunks are cut. What could be the start of one is held back until more has come, or until the end.
 */
export class LineRedactor {
  private held = '';

  /** @returns what can be passed on by now */
  push(chunk: string): string {
    this.held += chunk;
    const end = this.endOfWhole();
    const whole = this.held.slice(0, end);
    this.held = this.held.slice(end);
    return redact(whole);
  }

  /** @returns the rest */
  end(): string {
    const rest = this.held;
    this.held = '';
    return redact(rest);
  }

  /** Up to a line break, because a key is in one line; but base64 may be folded into several. */
  private endOfWhole(): number {
    let end = this.held.lastIndexOf('\n') + 1;
    while (end > 0 && this.isFolded(end)) end = this.held.lastIndexOf('\n', end - 2) + 1;
    return this.held.length - end <= MAX_LINE ? end : Math.max(end, judgedEnd(this.held));
  }

  private isFolded(end: number): boolean {
    const text = this.held.slice(0, end).trimEnd();
    const line = text.length - (text.lastIndexOf('\n') + 1);
    return line >= SHORTEST_FOLD && endsInBase64(`${text}\n`);
  }
}
