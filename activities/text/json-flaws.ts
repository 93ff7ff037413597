import { isWellFormed, wellFormed } from '../../infra/database/well-formed.js';

/** Arguments longer than this, as JSON in UTF-8, are refused. */
const MAX_BYTES = 128 * 1024;
const MAX_DEPTH = 64;
const MAX_KEY = 1_000;
/** Of a name or number in words for the planner. */
const SHOWN = 60;

/**
 * What in a JSON text JavaScript, a row or a tool would not hold as it was written, in words for the planner: numbers that
 * would be rounded, keys that come twice. The text is JSON; its length is bounded here. Undefined where there is nothing.
 */
export function flawInText(text: string): string | undefined {
  if (Buffer.byteLength(text) > MAX_BYTES) return tooLong(Buffer.byteLength(text));
  const open: Set<string>[] = [];
  for (const [token, colon] of tokensOf(text)) {
    if (token === '{' || token === '[') open.push(new Set());
    else if (token === '}' || token === ']') open.pop();
    else if (colon) {
      const key = JSON.parse(token) as string;
      const keys = open[open.length - 1];
      if (keys.has(key)) return `the key ${shown(key)} comes twice`;
      keys.add(key);
    } else if (/^[-\d]/.test(token)) {
      const flaw = flawInNumber(token);
      if (flaw) return flaw;
    }
  }
  return undefined;
}

/** A string with the colon that makes it a key, a bracket, or a literal. */
const TOKENS = /("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}[\]]|[^\s{}[\],:"]+/gs;

function* tokensOf(text: string): Generator<[token: string, colon: boolean]> {
  for (const [token, string, colon] of text.matchAll(TOKENS)) yield [string ?? token, colon !== undefined];
}

function flawInNumber(token: string): string | undefined {
  const value = Number(token);
  if (!Number.isFinite(value)) return `the number ${shown(token)} is too large`;
  if (value === 0 && /[1-9]/.test(token.split(/e/i)[0])) return `the number ${shown(token)} is too small`;
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER && !isHeldBy(value, token)) {
    return `the number ${shown(token)} has more digits than a number can hold: write it as a text`;
  }
  return undefined;
}

/** Whether a number is written back as it was read, or is to its last digit what was written. */
function isHeldBy(value: number, token: string): boolean {
  const written = decimalOf(token);
  const held = decimalOf(String(value));
  if (written.digits === held.digits && written.exponent === held.exponent) return true;
  return written.exponent >= 0 && BigInt(written.digits) * 10n ** BigInt(written.exponent) === BigInt(Math.abs(value));
}

/** A JSON number without its sign as a whole number, without zeros at its ends, times a power of ten. */
function decimalOf(token: string): { digits: string; exponent: number } {
  const [mantissa, exponent = '0'] = token.toLowerCase().split('e');
  const [whole, fraction = ''] = mantissa.replace('-', '').split('.');
  const all = `${whole}${fraction}`.replace(/^0+/, '');
  const digits = all.replace(/0+$/, '');
  return { digits, exponent: Number(exponent) - fraction.length + all.length - digits.length };
}

/**
 * What in a value a row would not hold as it is, or a tool could be harmed by, in words for the planner: numbers that are
 * not finite, characters that are none, nesting without end, keys of JavaScript's own. Undefined where there is nothing.
 */
export function flawInValue(value: unknown): string | undefined {
  const open: { part: unknown; depth: number }[] = [{ part: value, depth: 0 }];
  let bytes = 0;
  for (let next = open.pop(); next; next = open.pop()) {
    const { part, depth } = next;
    if (depth > MAX_DEPTH) return `they are nested deeper than ${MAX_DEPTH} levels`;
    const flaw = flawInLeaf(part);
    if (flaw) return flaw;
    bytes += typeof part === 'string' ? Buffer.byteLength(part) : 1;
    if (typeof part === 'object' && part !== null) {
      for (const [key, inner] of Object.entries(part)) {
        const flawed = Array.isArray(part) ? undefined : flawInKey(key, inner);
        if (flawed) return flawed;
        bytes += Array.isArray(part) ? 0 : Buffer.byteLength(key);
        open.push({ part: inner, depth: depth + 1 });
      }
    }
    if (bytes > MAX_BYTES) return tooLong(bytes);
  }
  return undefined;
}

function flawInLeaf(part: unknown): string | undefined {
  if (typeof part === 'number' && !Number.isFinite(part)) return `${part} is no number that can be kept`;
  if (typeof part === 'string' && !isWellFormed(part)) {
    return `the text ${shown(part)} holds U+0000 or half a character, which cannot be kept`;
  }
  return undefined;
}

function flawInKey(key: string, inner: unknown): string | undefined {
  if (key.length > MAX_KEY) return `the key ${shown(key)} is longer than ${MAX_KEY} characters`;
  if (!isWellFormed(key)) return `the key ${shown(key)} holds U+0000 or half a character, which cannot be kept`;
  const reachesPrototype =
    key === '__proto__' ||
    (key === 'constructor' && typeof inner === 'object' && inner !== null && 'prototype' in inner);
  return reachesPrototype ? `the key ${key} is not allowed` : undefined;
}

function tooLong(bytes: number): string {
  return `they have ${bytes} bytes or more, and may have ${MAX_BYTES}`;
}

function shown(text: string): string {
  const start = wellFormed(text.slice(0, SHOWN));
  return JSON.stringify(text.length > SHOWN ? `${start}…` : start);
}
