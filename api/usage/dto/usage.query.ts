import { z } from 'zod';
import { idPageQuery } from '../../common/list.dto.js';
import { badRequest } from '../../common/api-error.js';

const MAX_DAYS = 366;
const USUAL_DAYS = 30;
const DAY_MS = 24 * 3_600_000;

const day = z.iso.date({ error: 'must be a day, as in 2026-01-31' });

export const usageQuery = idPageQuery.extend({
  by: z
    .enum(['run', 'day'])
    .default('run')
    .describe(
      '`run`: an entry for each run, asked flow and evaluation, in pages; `day`: one for each day, all at once.',
    ),
  run_id: z.string().max(512).optional().describe('Only what was used for this run, flow or evaluation.'),
  from: day.optional().describe(`The first day, in UTC. Without it the ${USUAL_DAYS} days up to the last one.`),
  to: day.optional().describe('The last day, in UTC, which counts as a whole. Without it today.'),
});
export type UsageQuery = z.infer<typeof usageQuery>;

/** The days of a query: `from` and `to` as they are shown, and the moment when the last one is over. */
export interface Days {
  from: string;
  to: string;
  end: string;
}

/** @throws ApiError 400 if the first day comes after the last, or there are too many */
export function daysOf({ from, to }: UsageQuery, now = Date.now()): Days {
  const last = to === undefined ? now : Date.parse(to);
  const first = from === undefined ? last - (USUAL_DAYS - 1) * DAY_MS : Date.parse(from);
  const days = { from: dayOf(first), to: dayOf(last), end: dayOf(last + DAY_MS) };
  if (days.from > days.to) throw refused(`${days.from} comes after ${days.to}`);
  if (last - first >= MAX_DAYS * DAY_MS) throw refused(`${days.from} to ${days.to} are more than ${MAX_DAYS} days`);
  return days;
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function refused(why: string): Error {
  return badRequest('invalid_request', `from: ${why}.`, { param: 'from' });
}
