import { InvalidArgumentError } from 'commander';

const HOUR_MS = 60 * 60 * 1000;
const UNIT_MS = { h: HOUR_MS, d: 24 * HOUR_MS };

/** What `--expires` takes. */
export const EXPIRY = 'hours or days from now, as in 12h and 90d, or a date in UTC or a time, as in 2027-01-31';

/**
 * When a key expires: `12h` or `90d` from now, a date (its beginning in UTC), or a date and a time.
 * @returns it as ISO 8601
 */
export function parseExpiry(text: string, now = Date.now()): string {
  const [, count, unit] = /^(\d{1,5})([hd])$/.exec(text) ?? [];
  const isDate = /^\d{4}-/.test(text);
  const time = count === undefined ? Date.parse(isDate ? text : '') : now + Number(count) * UNIT_MS[unit as 'h' | 'd'];
  if (Number.isNaN(time)) throw new InvalidArgumentError(`It must be ${EXPIRY}.`);
  return new Date(time).toISOString();
}
