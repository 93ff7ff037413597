import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { PROJECT_ROOT } from '../../../infra/config/project-root.js';
import { configurationPage } from './configuration-page.js';
import { KeyRows, type Schema } from './rows.js';

const rowsOf = (schema: z.ZodType): string[] =>
  new KeyRows()
    .of(z.toJSONSchema(schema, { io: 'input' }) as Schema)
    .map(({ key, type, standard, meaning }) => [key, type, standard, meaning].join(' | '));

describe(configurationPage, () => {
  // test/commands.spec.ts compares the committed page.
  it('has a meaning for every key, and shows no path of this machine', () => {
    const page = configurationPage({ trainer: {}, 'policy server': {} });
    const choices = /^\| `[^`]*` \| one of the keys /;
    const rows = page.split('\n').filter((line) => line.startsWith('| `'));
    expect(rows.length).toBeGreaterThan(150);
    expect(rows.filter((row) => row.endsWith('|  |') && !choices.test(row))).toEqual([]);
    expect(page).not.toContain(PROJECT_ROOT);
  });
});

describe(KeyRows, () => {
  it('says type, bounds, default, meaning and an example', () => {
    const schema = z.strictObject({
      count: z.int().min(1).max(9).default(3).describe('How many.'),
      share: z.number().gt(0).lt(1).optional().describe('How much.'),
      names: z
        .array(z.enum(['a', 'b']))
        .min(1)
        .meta({ description: 'Which.', examples: [['a']] }),
      weights: z.record(z.string(), z.number().positive()).default({}),
    });
    expect(rowsOf(schema)).toEqual([
      'count | integer, 1 to 9 | `3` | How many.',
      'share | number, above 0, below 1 |  | How much.',
      'names | list of at least 1: `a`, `b` | required | Which. Example: `[a]`.',
      'weights | by name: number, above 0 |  | ',
    ]);
  });

  it('says of a choice which keys belong to which option, once for all that share them', () => {
    const shared = z.int().default(1).describe('Shared.');
    const schema = z.strictObject({
      way: z
        .discriminatedUnion('kind', [
          z
            .strictObject({ kind: z.literal('x'), shared, own: z.int().default(2).describe('Of x.') })
            .describe('The one.'),
          z.strictObject({ kind: z.literal('y'), shared: shared }).describe('The other.'),
        ])
        .prefault({ kind: 'x' })
        .describe('How.'),
    });
    expect(rowsOf(schema)).toEqual([
      'way.kind | `x`, `y` | `x` | How. `x`: The one. `y`: The other.',
      'way.shared | integer | `1` | Shared.',
      'way.own | integer | `2` | With `x`. Of x.',
    ]);
  });

  it('describes equal keys once, and refers to the place', () => {
    const part = z.strictObject({ a: z.int(), b: z.int(), c: z.int() });
    const rows = rowsOf(z.strictObject({ first: part, second: part.optional().describe('Again.') }));
    expect(rows.slice(3)).toEqual(['second | as `first` |  | Again.']);
  });
});
