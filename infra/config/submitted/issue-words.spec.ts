import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { issueWords } from './issue-words.js';

const CASES: [string, z.ZodType, unknown, string][] = [
  ['nothing', z.string(), undefined, 'is missing'],
  ['a number for a text', z.string(), 7, 'must be a text'],
  ['a text for a number', z.number(), '7', 'must be a number'],
  ['a fraction for a whole number', z.int(), 1.5, 'must be a whole number'],
  ['a text for true or false', z.boolean(), 'yes', 'must be true or false'],
  ['an object for a list', z.array(z.string()), {}, 'must be a list'],
  ['a list for an object', z.object({}), [], 'must be an object'],
  ['an empty list', z.array(z.string()).min(1), [], 'must have at least 1 item'],
  ['a long list', z.array(z.string()).max(2), ['a', 'b', 'c'], 'must have at most 2 items'],
  ['a list of another length', z.array(z.string()).length(2), ['a'], 'must have exactly 2 items'],
  ['an empty text', z.string().min(1), '', 'must have at least 1 character'],
  ['a long text', z.string().max(3), 'abcd', 'must have at most 3 characters'],
  ['a small number', z.number().min(1), 0, 'must be at least 1'],
  ['a large number', z.number().max(1), 2, 'must be at most 1'],
  ['a number on the bound', z.number().gt(0), 0, 'must be more than 0'],
  ['a number on the other bound', z.number().lt(1), 1, 'must be less than 1'],
  ['no multiple', z.number().multipleOf(5), 7, 'must be a multiple of 5'],
  ['another word', z.enum(['a', 'b']), 'c', 'must be one of "a", "b"'],
  ['another constant', z.literal('a'), 'c', 'must be "a"'],
  ['an unknown key', z.strictObject({}), { a: 1 }, 'unknown key "a"'],
  ['unknown keys', z.strictObject({}), { a: 1, b: 2 }, 'unknown keys "a", "b"'],
  ['a time without a zone', z.iso.datetime(), '2026-01-31T12:00:00', 'must be a time, as in 2026-01-31T12:00:00Z'],
  ['a day that is none', z.iso.date(), '2026-02-30', 'must be a day, as in 2026-01-31'],
  ['another pattern', z.string().regex(/^a+$/), 'b', 'must match /^a+$/'],
  ['none of two types', z.union([z.string(), z.number()]), true, 'must be a text or a number'],
  ['nothing, of two types', z.union([z.string(), z.number()]), undefined, 'is missing'],
  ['none of two forms', z.union([z.literal('a'), z.object({})]), 7, 'has none of the forms that it may have'],
  [
    'a choice that is none',
    z.discriminatedUnion('kind', [z.object({ kind: z.literal('a') }), z.object({ kind: z.literal('b') })]),
    { kind: 'c' },
    'must be one of "a", "b"',
  ],
  ['what the schema has words for', z.string().regex(/^a$/, 'must be the letter a'), 'b', 'must be the letter a'],
  ['what a check has words for', z.string().refine(() => false, 'is named twice'), 'b', 'is named twice'],
];

describe(issueWords, () => {
  it.each(CASES)('says what is wrong with %s', (_, schema, value, words) => {
    const { error } = schema.safeParse(value);
    expect(error?.issues.map(issueWords)).toEqual([words]);
  });
});
