import { knownSecrets } from '../config/secrets.js';
import { base64View, unfolded, viewsOf, type View } from './views.js';

/** From `from` up to, and without, `to`. */
export interface Span {
  from: number;
  to: number;
}

/** What a secret is looked for as. */
interface Needles {
  /** In a text that is decoded. */
  plain: string[];
  /** In base64's standard alphabet: what every text that holds the secret has in common, at each alignment of its bytes. */
  base64: string[];
  hex: RegExp;
}

const BASE64_CHARACTER = /[A-Za-z0-9+/]/;

let compiled: { secrets: number; needles: Needles[] } = { secrets: 0, needles: [] };

/**
 * Where a text holds a secret that this process has read: as it is, URL-encoded, JSON-escaped, as HTML, one of these in
 * another, in hexadecimal or in base64. In order, without overlaps. Linear in the length of the text.
 */
export function secretSpans(text: string): Span[] {
  const needles = currentNeedles();
  if (needles.length === 0) return [];
  const spans = viewsOf(text).flatMap((view) => {
    const inBase64 = base64View(view);
    const whole = unfolded(view);
    return needles.flatMap(({ plain, base64, hex }) => [
      ...plain.flatMap((needle) => spansOf(view, needle)),
      ...base64.flatMap((needle) => spansOf(inBase64, needle, true)),
      ...hexSpans(view, hex),
      ...(whole === view ? [] : hexSpans(whole, hex)),
    ]);
  });
  return merged(spans);
}

/**
 * How much of a text that goes on after its end can be judged already: up to there no secret is cut in two, unless it is
 * encoded more than once and wider than a character as `\\\\u0041`.
 */
export function judgedEnd(text: string): number {
  const WIDEST = 12;
  const longest = Math.max(0, ...knownSecrets().map(({ length }) => length)) * WIDEST;
  const end = Math.max(0, text.length - longest);
  return secretSpans(text).find(({ from, to }) => from < end && end < to)?.from ?? end;
}

/** Whether a text, on to the end of which more will be written, ends with what may be the start of a secret in base64. */
export function endsInBase64(text: string): boolean {
  return currentNeedles().some(({ base64 }) => base64.some((needle) => endsWithStartOf(text, needle)));
}

function endsWithStartOf(text: string, needle: string): boolean {
  const { text: tail } = base64View({ text: text.slice(-4 * needle.length) });
  for (let length = Math.min(needle.length - 1, tail.length); length > 0; length -= 1) {
    if (tail.endsWith(needle.slice(0, length))) return true;
  }
  return false;
}

/** Made anew when a secret has been read since. */
function currentNeedles(): Needles[] {
  const secrets = knownSecrets();
  if (compiled.secrets !== secrets.length) {
    compiled = { secrets: secrets.length, needles: secrets.map(needlesOf) };
  }
  return compiled.needles;
}

/** Dumps write `6d 63`, `6d:63`, `0x6d, 0x63` or `\\x6d\\x63`. */
const BETWEEN_BYTES = String.raw`[\s:,-]{0,2}(?:0x|\\x)?`;

function needlesOf(secret: string): Needles {
  const bytes = Buffer.from(secret, 'utf8');
  return {
    plain: [...new Set([secret, bytes.toString('latin1'), secret.replaceAll(' ', '+')])],
    base64: [0, 1, 2].map((offset) => base64Core(bytes, offset)),
    hex: new RegExp(bytes.toString('hex').replace(/..(?!$)/g, `$&${BETWEEN_BYTES}`), 'gi'),
  };
}

/** The characters of base64 that depend on the secret alone where `offset` bytes (modulo 3) stand before it. */
function base64Core(bytes: Buffer, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
  const from = Math.ceil((offset * 8) / 6);
  const to = Math.floor(((offset + bytes.length) * 8) / 6);
  return text.slice(from, to);
}

/** @param beside takes the characters beside it too, in which some bits of the secret may be: base64's */
function spansOf(view: View, needle: string, beside = false): Span[] {
  const { text } = view;
  const isHalf = (index: number) => beside && index >= 0 && index < text.length && BASE64_CHARACTER.test(text[index]);
  const spans: Span[] = [];
  for (let at = text.indexOf(needle); at !== -1; at = text.indexOf(needle, at + 1)) {
    const end = at + needle.length;
    spans.push(original(view, isHalf(at - 1) ? at - 1 : at, isHalf(end) ? end + 1 : end));
  }
  return spans;
}

function hexSpans(view: View, hex: RegExp): Span[] {
  return [...view.text.matchAll(hex)].map(({ index, 0: { length } }) => original(view, index, index + length));
}

function original({ places }: View, from: number, to: number): Span {
  return places ? { from: places.starts[from], to: places.ends[to - 1] } : { from, to };
}

function merged(spans: Span[]): Span[] {
  const result: Span[] = [];
  for (const span of spans.sort((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last && span.from <= last.to) last.to = Math.max(last.to, span.to);
    else result.push({ ...span });
  }
  return result;
}
