/**
 * JSON with sorted keys and no white space: equal values give equal bytes. Properties that are undefined are left out.
 * Fails on what JSON cannot hold (NaN, Infinity, bigint), which JSON.stringify would turn into null.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'number' && !Number.isFinite(part)) throw new Error(`JSON cannot hold the number ${part}.`);
    return isPlainObject(part) ? sortKeys(part) : part;
  });
}

function sortKeys(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
