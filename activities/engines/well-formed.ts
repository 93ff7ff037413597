/**
 * A model may sample any bytes. PostgreSQL's text and jsonb hold neither U+0000 nor half a surrogate pair: both become
 * U+FFFD. Token ids remain the exact record (I1).
 */
export function wellFormed(text: string): string {
  return text.replace(/\0|\p{Surrogate}/gu, '\uFFFD');
}

/** The same for all texts and keys of a JSON value: what models write reaches rows through plans, arguments and results. */
export function wellFormedJson<Value>(value: Value): Value {
  return mapTexts(value) as Value;
}

function mapTexts(value: unknown): unknown {
  if (typeof value === 'string') return wellFormed(value);
  if (Array.isArray(value)) return value.map(mapTexts);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [wellFormed(key), mapTexts(part)]));
}
