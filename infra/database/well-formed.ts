import type { ValueTransformer } from 'typeorm';

/** Levels of a JSON value: far more than any of ours has, far fewer than JavaScript or PostgreSQL can recurse into. */
const MAX_DEPTH = 200;

/** Thrown for a value that no row can hold. It is named, and never written as something else. */
export class UnstorableValue extends Error {
  override readonly name = 'UnstorableValue';
}

/**
 * A model may sample any bytes. PostgreSQL's text and jsonb hold neither U+0000 nor half a surrogate pair: both become
 * U+FFFD. Token ids remain the exact record (I1).
 */
export function wellFormed(text: string): string {
  return text.replace(/\0|\p{Surrogate}/gu, '\uFFFD');
}

/** Whether a text can be kept as it is. */
export function isWellFormed(text: string): boolean {
  return !/\0|\p{Surrogate}/u.test(text);
}

/**
 * A value as `jsonb` can hold it: texts and keys well formed, undefined left out as JSON does.
 * @throws UnstorableValue if JSON has no form for a number, or a value nests without end
 */
function storableJson(value: unknown): unknown {
  return storable(value, '', 0);
}

function storable(value: unknown, place: string, depth: number): unknown {
  if (typeof value === 'string') return wellFormed(value);
  if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))) {
    throw new UnstorableValue(`A row cannot hold the number ${value}${at(place)}.`);
  }
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return value;
  if (depth === MAX_DEPTH) throw new UnstorableValue(`A row cannot hold a value of more than ${MAX_DEPTH} levels.`);
  if (Array.isArray(value)) return value.map((part, index) => storable(part, `${place}[${index}]`, depth + 1));
  const parts = Object.entries(value).map(([key, part]): [string, unknown] => [
    wellFormed(key),
    storable(part, `${place}.${key}`, depth + 1),
  ]);
  return Object.fromEntries(parts);
}

function at(place: string): string {
  return place === '' ? '' : ` at ${place.replace(/^\./, '').slice(0, 100)}`;
}

/** The gates of columns, by their type: whatever goes into a row passes one, whoever writes it (I16). */
const GATES: Partial<Record<string, (value: unknown) => unknown>> = {
  text: (value) => eachText(value),
  jsonb: (value) => (value === undefined ? value : storableJson(value)),
};

/** Also the texts of a list that a column is compared with. */
function eachText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(eachText);
  return typeof value === 'string' ? wellFormed(value) : value;
}

/** The gate of a column of this type, if it can hold texts. */
export function gateOf(type: unknown): ValueTransformer | undefined {
  const to = typeof type === 'string' ? GATES[type] : undefined;
  return to && { to, from: (value: unknown) => value };
}
