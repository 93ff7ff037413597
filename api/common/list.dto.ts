import { z } from 'zod';
import { named } from './json-schema.js';

/** A page of a list, as OpenAI's clients read it. */
export interface List<T> {
  object: 'list';
  data: T[];
  /** Whether anything follows `last_id`. */
  has_more: boolean;
  first_id: string | null;
  last_id: string | null;
}

/** @param rows up to `limit` + 1 rows: one more than asked for tells that there is more */
export function toList<Row, T>(rows: Row[], limit: number, id: (row: Row) => string, map: (row: Row) => T): List<T> {
  const page = rows.slice(0, limit);
  const [first] = page;
  const last = page.at(-1);
  return {
    object: 'list',
    data: page.map(map),
    has_more: rows.length > limit,
    first_id: first === undefined ? null : id(first),
    last_id: last === undefined ? null : id(last),
  };
}

/** @param name of an item in the OpenAPI description */
export function listSchema<T extends z.ZodType>(name: string, item: T) {
  named(name, item);
  return z.object({
    object: z.literal('list'),
    data: z.array(item),
    has_more: z.boolean(),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
  });
}

/** The largest step, group or sequence that a column holds. */
export const MAX_INDEX = 2 ** 31 - 1;

/** A whole number in a query, in digits: coerced, `1e3`, `0x10` and `5.0` would be numbers too. */
export function wholeInQuery<T extends z.ZodType>(number: T): z.ZodPreprocess<T> {
  return z.preprocess((text, context) => {
    if (typeof text !== 'string' || /^-?\d+$/.test(text)) return text;
    context.addIssue('must be a whole number, in digits');
    return z.NEVER;
  }, number);
}

/** A number in a query. An empty text is none: coerced, it would be 0. */
export function inQuery<T extends z.ZodType>(number: T): z.ZodPreprocess<T> {
  return z.preprocess((text) => (text === '' ? NaN : text), number);
}

/** A step or the number of a group in a query. */
export const index = wholeInQuery(z.coerce.number().int().min(0).max(MAX_INDEX));

const limit = (most: number, usual: number) => wholeInQuery(z.coerce.number().int().min(1).max(most).default(usual));

/** Query of a list whose cursor is an id. */
export const idPageQuery = z.strictObject({ after: z.string().max(512).optional(), limit: limit(100, 20) });
export type IdPageQuery = z.infer<typeof idPageQuery>;

/** Query of a list whose cursor is an ascending number (a step, a sequence). */
export const numberPageQuery = z.strictObject({
  after: wholeInQuery(z.coerce.number().int().min(-1).max(MAX_INDEX)).optional(),
  limit: limit(1000, 100),
});
export type NumberPageQuery = z.infer<typeof numberPageQuery>;
