import { describe, expect, it } from '@jest/globals';
import { randomStream } from '../datasets/random.js';
import type { Asked } from './reading/continuation.js';
import { finalStatement } from './reading/statement.js';
import { textRule } from './rules/text.rule.js';
import { differentGolds } from './testing/made-up-golds.js';

const GOLDS = 7_405;
const RANDOM_PAIRS = 20_000;
const never = (): boolean => false;
const ANYTHING: Asked = {
  notation: 'words',
  isAnswer: (text) => text !== '',
  isRight: never,
  isRival: never,
  isOther: never,
};

type Pair = [answer: string, gold: string];
type Normal = (text: string) => string;

const withoutCase: Normal = (text) => text.toLowerCase();
const withoutAccents: Normal = (text) =>
  text.normalize('NFKD').replace(/(?<=\p{Script=Latin})\p{M}+/gu, '').replace(/ł/g, 'l').replace(/ø/g, 'o'); // prettier-ignore
const withoutArticles: Normal = (text) => text.replace(/(?<![\p{L}\p{N}])(?:the|an?)(?=[\s"(]+\S)/giu, '');
const withoutSeparators: Normal = (text) => text.replace(/(?<=\d),(?=\d{3}(?!\d))/g, '');
/** Not the signs of numbers, what stands between digits, and symbols. */
const withoutPunctuation: Normal = (text) =>
  text
    .replace(/&/g, ' and ')
    .replace(/–/g, '-')
    .replace(/(?<=^|[\s$€£("])-(?=\d)|(?<=[\p{L}\p{N}])-(?=$|\s)|(?<=\d)[-:/.](?=\d)/gu, '=')
    .replace(/[^\p{L}\p{M}\p{N}#%@*+=^$€£°]/gu, '');
const withoutUnit: Normal = (text) => text.replace(/^(=?)[$€£]|%$/g, '$1');

/** What the rule for texts leaves out on purpose. */
const LEFT_OUT: readonly [string, Normal[]][] = [
  ['case', [withoutCase]],
  ['accents', [withoutAccents]],
  ['articles', [withoutArticles, (text) => text.replace(/\s+/g, ' ').trim()]],
  ['separators of thousands', [withoutSeparators]],
  ['punctuation', [withoutPunctuation]],
  ['the unit of a number', [withoutUnit]],
  [
    'several of these',
    [withoutSeparators, withoutArticles, withoutPunctuation, withoutAccents, withoutCase, withoutUnit],
  ],
];

function difference([answer, gold]: Pair): string {
  const isLeftOut = (normals: Normal[]) => {
    const [one, other] = [answer, gold].map((text) => normals.reduce((rest, normal) => normal(rest), text));
    return one === other;
  };
  return LEFT_OUT.find(([, normals]) => isLeftOut(normals))?.[0] ?? 'anything else';
}

describe('different golds of a benchmark', () => {
  const golds = differentGolds(GOLDS, 1);

  it('are not right for each other, but for what the rule leaves out', () => {
    const pairs = [...likelyPairs(golds), ...randomPairs(golds, RANDOM_PAIRS)];
    const statements = new Map(golds.map((gold) => [gold, finalStatement(gold, 'words', ANYTHING)!]));
    const right = pairs.filter(([answer, gold]) => textRule(statements.get(answer)!, [gold]).ruling === 'right');
    const byDifference = new Map<string, Pair[]>();
    for (const pair of right) {
      const name = difference(pair);
      byDifference.set(name, [...(byDifference.get(name) ?? []), pair]);
    }
    expect(byDifference.get('anything else') ?? []).toEqual([]);
    // The test would see nothing if it judged no near pair.
    expect(right.length).toBeGreaterThan(1_000);
    const counts = [...byDifference].map(([name, list]) => [name, list.length]);
    expect({
      judged: pairs.length,
      right: Object.fromEntries(counts) as Record<string, number>,
    }).toMatchInlineSnapshot(`
     {
       "judged": 126577,
       "right": {
         "accents": 98,
         "articles": 352,
         "case": 234,
         "punctuation": 447,
         "separators of thousands": 8,
         "several of these": 830,
         "the unit of a number": 32,
       },
     }
    `);
  });
});

/**
 * Of all 55 million ordered pairs those that could be: with the same letters and digits, or the same to the end of one
 * of them, whatever stands between; and yes and no with every other gold. No rule looks at less than these.
 */
function* likelyPairs(golds: readonly string[]): Iterable<Pair> {
  const buckets = new Map<string, string[]>();
  for (const gold of golds) buckets.set(coarse(gold), [...(buckets.get(coarse(gold)) ?? []), gold]);
  const keys = [...buckets.keys()].sort();
  for (const [at, key] of keys.entries()) {
    const own = buckets.get(key)!;
    for (const [first, gold] of own.entries()) for (const other of own.slice(first + 1)) yield* both(gold, other);
    if (key.length < 2) continue;
    for (let next = at + 1; keys[next]?.startsWith(key); next += 1) {
      for (const gold of own) for (const other of buckets.get(keys[next])!) yield* both(gold, other);
    }
  }
  const sides = golds.filter((gold) => /^(?:yes|no)$/i.test(gold));
  for (const side of sides) for (const gold of golds) if (!sides.includes(gold)) yield* both(side, gold);
}

function both(one: string, other: string): Pair[] {
  return [[one, other], [other, one]]; // prettier-ignore
}

function coarse(gold: string): string {
  const letters = withoutAccents(gold.toLowerCase().replace(/&/g, 'and')).replace(/\p{M}/gu, '');
  return letters.replace(/\b(?:the|an?) /g, '').replace(/[^\p{L}\p{N}]/gu, '');
}

function* randomPairs(golds: readonly string[], count: number): Iterable<Pair> {
  const random = randomStream('different golds');
  const drawn = () => golds[Math.floor(random.fraction() * golds.length)];
  for (let pair = 0; pair < count; pair += 1) {
    const [one, other] = [drawn(), drawn()];
    if (one !== other) yield [one, other];
  }
}
