import { InvalidArgumentError } from 'commander';

const DAY_MS = 24 * 60 * 60 * 1000;

/** When a key expires: `90d` from now, a date (its beginning in UTC), or a date and a time. @returns it as ISO 8601 */
export function parseExpiry(text: string, now = Date.now()): string {
  const [, days] = /^(\d{1,5})d$/.exec(text) ?? [];
  const time = days === undefined ? Date.parse(/^\d{4}-/.test(text) ? text : '') : now + Number(days) * DAY_MS;
  if (Number.isNaN(time)) throw new InvalidArgumentError('It must be days, as in 90d, or a date, as in 2027-01-31.');
  return new Date(time).toISOString();
}
