import { parseJson } from './parse-json.js';

/**
 * The values of a text that is a JSON array, each parsed by itself while the text arrives: a file of hundreds of megabytes
 * that is parsed at once stops all else for seconds. Undefined if the text is anything else, or not JSON.
 */
export async function valuesOfArray(pieces: AsyncIterable<string>): Promise<unknown[] | undefined> {
  const array = new ArrivingArray();
  try {
    for await (const piece of pieces) array.add(piece);
    return array.end();
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

class ArrivingArray {
  private readonly values: unknown[] = [];
  private place: 'before' | 'inside' | 'after' = 'before';
  /** The element that is open, in pieces. */
  private open: string[] = [];
  /** Brackets that are open in it. */
  private depth = 0;
  private isText = false;
  private isEscaped = false;

  /** @throws SyntaxError */
  add(piece: string): void {
    let start = 0;
    for (let at = 0; at < piece.length; at += 1) {
      const sign = piece[at];
      if (this.place !== 'inside') {
        this.outside(sign);
        start = at + 1;
      } else if (this.isText) this.inText(sign);
      else if (this.isEnd(sign)) {
        this.open.push(piece.slice(start, at));
        this.take(sign);
        start = at + 1;
      }
    }
    if (start < piece.length) this.open.push(piece.slice(start));
  }

  /** @throws SyntaxError */
  end(): unknown[] {
    if (this.place !== 'after') throw new SyntaxError('an array that does not end');
    return this.values;
  }

  private outside(sign: string): void {
    if (sign === '[' && this.place === 'before') this.place = 'inside';
    else if (!/[ \t\n\r]/.test(sign)) throw new SyntaxError('something beside an array');
  }

  private inText(sign: string): void {
    if (this.isEscaped) this.isEscaped = false;
    else if (sign === '\\') this.isEscaped = true;
    else if (sign === '"') this.isText = false;
  }

  /** Whether an element ends before this sign. */
  private isEnd(sign: string): boolean {
    if (sign === '"') this.isText = true;
    else if (this.depth === 0 && (sign === ',' || sign === ']')) return true;
    else if (sign === '{' || sign === '[') this.depth += 1;
    else if (sign === '}' || sign === ']') this.depth -= 1;
    return false;
  }

  private take(end: string): void {
    const text = this.open.join('');
    this.open = [];
    if (end === ']') this.place = 'after';
    if (end === ']' && this.values.length === 0 && text.trim() === '') return;
    this.values.push(parseJson(text));
  }
}
