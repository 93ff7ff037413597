import { DocumentRefused, requireAtMost, type DocumentBounds } from './document-bounds.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

/** An object or array that is open. An array has no keys. */
interface Open {
  keys?: Set<string>;
  /** Whether the next string is a key. */
  expectsKey: boolean;
}

/**
 * Counts what a JSON text holds while its bytes arrive, and refuses it at the first thing that is too much, or a second
 * key of one name. It keeps the keys and nothing else. It does not check the grammar: a text that passes is still to be
 * parsed, and of one that is JSON every count is exact.
 */
export class JsonScanner {
  private readonly open: Open[] = [];
  private keys = 0;
  private items = 0;
  private numberLength = 0;
  /** Bytes of the string that is open so far; undefined outside of strings. */
  private stringBytes?: number;
  private escaped = false;
  /** The bytes of the string that is open, where it is a key. */
  private key?: number[];

  constructor(private readonly bounds: DocumentBounds) {}

  /** @throws DocumentRefused */
  write(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.stringBytes === undefined) this.outside(byte);
      else this.inside(byte);
    }
  }

  private outside(byte: number): void {
    this.numberLength = isNumeric(byte) ? this.numberLength + 1 : 0;
    requireAtMost(this.numberLength, this.bounds, 'numberLength');
    const top = this.open.at(-1);
    switch (byte) {
      case QUOTE:
        this.stringBytes = 0;
        this.key = top?.keys && top.expectsKey ? [] : undefined;
        return;
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        return this.enter(byte);
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        this.open.pop();
        return;
      case COMMA:
        if (top?.keys) top.expectsKey = true;
        else this.countItem();
        return;
      default:
    }
  }

  private inside(byte: number): void {
    if (byte === QUOTE && !this.escaped) return this.endString();
    this.escaped = byte === BACKSLASH && !this.escaped;
    this.stringBytes = (this.stringBytes ?? 0) + 1;
    requireAtMost(this.stringBytes, this.bounds, this.key ? 'keyBytes' : 'stringBytes');
    this.key?.push(byte);
  }

  private enter(byte: number): void {
    const isObject = byte === OPEN_OBJECT;
    if (!isObject) this.countItem();
    this.open.push({ ...(isObject && { keys: new Set<string>() }), expectsKey: isObject });
    requireAtMost(this.open.length, this.bounds, 'depth');
  }

  private countItem(): void {
    this.items += 1;
    requireAtMost(this.items, this.bounds, 'items');
  }

  private endString(): void {
    const { key } = this;
    this.stringBytes = undefined;
    this.key = undefined;
    const top = this.open.at(-1);
    if (!key || !top?.keys) return;
    top.expectsKey = false;
    this.keys += 1;
    requireAtMost(this.keys, this.bounds, 'keys');
    const name = decoded(key);
    if (top.keys.has(name)) throw new DocumentRefused(`it has the key ${JSON.stringify(name)} twice`);
    top.keys.add(name);
  }
}

/** Digits, signs, points and exponents. The letters of `true`, `false` and `null` are short. */
function isNumeric(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || byte === 0x2d || byte === 0x2b || byte === 0x2e || (byte | 0x20) === 0x65;
}

/** A key as its parser will read it; as it stands if the parser will refuse it. */
function decoded(key: readonly number[]): string {
  const text = Buffer.from(key).toString('utf8');
  if (!text.includes('\\')) return text;
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return text;
  }
}
