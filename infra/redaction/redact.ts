import { judgedEnd, secretSpans, type Span } from './known-secrets.js';

/** In place of a secret. */
export const MASK = '***';

/** More of a text is not looked at for a quotation from its beginning. */
const QUOTED_FROM = 64 * 1024;

/**
 * What looks like a credential, whoever made it. Each pattern is linear: where one repeats without a bound, the character
 * before the repetition cannot be part of it, or nothing follows that could fail.
 */
const LOOKALIKES: readonly [pattern: RegExp, replacement: string][] = [
  // The user information of a URL: scheme://user:password@host
  [/:\/\/[^\s/?#@]*@/g, `://${MASK}@`],
  [/\b(bearer|basic)\s+[\w.~+/=-]+/gi, `$1 ${MASK}`],
  // name=value and name: value, quoted or not, in JSON within JSON too, for names that hold secrets
  [
    /((?:password|passwd|secret|api[_-]?key|authorization|credentials?|(?<![a-z0-9])token)\\{0,7}["']?\s*[=:]\s*)(?:\\{0,7}"[^"]*"|\\{0,7}'[^']*'|\\{0,7}[^\s,;&"'\\][^\s,;&"']*)/gi,
    `$1${MASK}`,
  ],
  [/\b(?:sk|pk|af|ghp|gho|xox[abp])[-_][\w-]{16,}/g, MASK],
  // The secret of a webhook, as Standard Webhooks writes it
  [/\bwhsec_[\w+/=-]{16,}/g, MASK],
];

/**
 * Takes credentials out of a text that goes into a history, a log or the database (I6): every key that this process
 * has read, and whatever looks like one.
 */
export function redact(text: string): string {
  return LOOKALIKES.reduce(
    (redacted, [pattern, replacement]) => redacted.replace(pattern, replacement),
    redactKnown(text),
  );
}

/** Takes out only the keys that this process has read, for texts in which words that look like keys are content. */
export function redactKnown(text: string): string {
  return masked(text, secretSpans(text));
}

/** The same of all texts in a value as JSON has it, its keys included. */
export function redactKnownIn<Value>(value: Value): Value {
  if (typeof value === 'string') return redactKnown(value) as Value;
  if (Array.isArray(value)) return value.map(redactKnownIn) as Value;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, of]) => [redactKnown(key), redactKnownIn(of)])) as Value;
}

/**
 * A text of any length, such as the body of an error, quoted from its beginning: redacted first and cut to `limit`
 * characters then, because half a key is not recognised as one.
 */
export function redactedStart(text: string, limit: number): string {
  return redact(wholeStart(text, QUOTED_FROM)).slice(0, limit);
}

/** Of a text that is cut afterwards: no more than its first characters is looked at, and known keys are taken out of them. */
export function redactKnownStart(text: string, characters: number): string {
  return redactKnown(wholeStart(text, characters));
}

/** The first characters of a text, as far as no key is cut in two by their end. */
function wholeStart(text: string, characters: number): string {
  const head = text.slice(0, characters);
  return head.length < text.length ? head.slice(0, judgedEnd(head)) : head;
}

/** The text with each span replaced by the mask. */
function masked(text: string, spans: readonly Span[]): string {
  if (spans.length === 0) return text;
  const ends = [0, ...spans.map(({ to }) => to)];
  return ends.map((end, index) => text.slice(end, spans[index]?.from)).join(MASK);
}
