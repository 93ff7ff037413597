import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Truth } from '../datasets/items/truth.js';
import { rewardByF1, tokenF1 } from './token-f1.js';

describe('tokenF1', () => {
  it.each<[answer: string, truth: string, f1: number]>([
    // One of three words, one of one: precision 1/3, recall 1.
    ['Rome or Paris', 'Paris', 1 / 2],
    ['the United States of America', 'The United States', 4 / 6],
    ['Ida Holm', 'Ida', 2 / 3],
    ['born in Oslo in 1932', 'Oslo', 1 / 3],
    ['Holm, Ida', 'Ida Holm', 1],
    ['oslo', 'Oslo.', 1],
    ['Bergen', 'Oslo', 0],
    ['', 'Oslo', 0],
    ['...', 'Oslo', 0],
    ['  Oslo\n', 'Oslo', 1],
    // Words count as often as they occur: https://github.com/UKGovernmentBEIS/inspect_ai/issues/5473
    ['Paris Paris Paris Paris Paris', 'Paris', 1 / 3],
    ['New York, New York', 'New York', 2 / 3],
    // Punctuation is deleted, and not a space: AC/DC is one word.
    ['AC/DC', 'ACDC', 1],
    ['AC DC', 'AC/DC', 0],
    ['1,234', '1234', 1],
    // https://github.com/UKGovernmentBEIS/inspect_ai/issues/4620
    ['The result is (3.14)', '3.14', 1 / 2],
    // Articles are words of their own, also beside letters with accents.
    ['Theodore Anand', 'theodore anand', 1],
    ['the cat and a dog', 'cat and dog', 1],
    ['Peña', 'Pe', 0],
    ['año', 'ño', 0],
  ])('of %j against %j is %d', (answer, truth, f1) => {
    expect(tokenF1(answer, [truth])).toBeCloseTo(f1, 12);
    expect(tokenF1(truth, [answer])).toBeCloseTo(f1, 12);
  });

  // hotpot_evaluate_v1.py: https://github.com/hotpotqa/hotpot
  it.each([
    ['yes', 'no'],
    ['yes no', 'yes'],
    ['yes', 'yes they were both born in Oslo'],
    ['no', 'There is no answer'],
    ['noanswer', 'noanswer given'],
    ['Yes Minister', 'yes'],
  ])('of a part of yes or no is 0: %j, %j', (one, other) => {
    expect([tokenF1(one, [other]), tokenF1(other, [one])]).toEqual([0, 0]);
  });

  it.each(['yes', 'Yes.', 'YES!'])('of yes itself is 1: %j', (answer) => {
    expect(tokenF1(answer, ['yes'])).toBe(1);
  });

  // https://github.com/stanford-crfm/helm/issues/2298 and https://github.com/jyfang6/trace/issues/4
  it.each(['A', 'The The', '!!!', 'a.', '"The"', '$', '—'])(
    'of %j, which has no words, against itself is 1',
    (text) => {
      expect(tokenF1(text, [text])).toBe(1);
      for (const nothing of ['', ' ', '\u200b']) expect(tokenF1(nothing, [text])).toBe(0);
    },
  );

  it('of two texts without words is 0 where they are not the same', () => {
    expect(tokenF1('???', ['!!!'])).toBe(0);
    expect(tokenF1('the', ['a'])).toBe(0);
  });

  // https://github.com/deepset-ai/haystack/pull/2508 and https://github.com/UKGovernmentBEIS/inspect_ai/pull/4636
  it.each([
    ['1969–1974', '1969-1974'],
    ['“Heroes”', '"Heroes"'],
    ['Ｔｏｋｙｏ', 'tokyo'],
    ['東京。', '東京'],
    ['O’Brien', "O'Brien"],
    ['Ida\u00a0Holm', 'Ida Holm'],
  ])('sees no difference in how punctuation is written: %j, %j', (one, other) => expect(tokenF1(one, [other])).toBe(1));

  it('is that of the best truth', () => {
    expect(tokenF1('Mark Twain', ['Samuel Clemens', 'Twain', 'Mark Twain the writer'])).toBeCloseTo(4 / 5, 12);
  });

  const word = fc.constantFrom('the', 'a', 'oslo', 'Oslo', 'bergen', 'yes', 'no', '1932', '!', 'AC/DC', 'é');
  const texts = fc.oneof(
    fc.array(word, { maxLength: 8 }).map((words) => words.join(' ')),
    fc.string({ unit: 'grapheme' }),
  );

  it('is between 0 and 1, the same either way, and does not see the order of words', () => {
    fc.assert(
      fc.property(texts, texts, (one, other) => {
        const f1 = tokenF1(one, [other]);
        expect(f1).toBeGreaterThanOrEqual(0);
        expect(f1).toBeLessThanOrEqual(1);
        expect(tokenF1(other, [one])).toBe(f1);
        expect(tokenF1(one.split(' ').reverse().join(' '), [other])).toBe(f1);
      }),
    );
  });

  it('is 1 exactly for the same bag of words, and none is lost or won by another truth', () => {
    const plain = fc.constantFrom('oslo', 'bergen', 'rome', 'yes', 'no', '1932');
    const bags = fc.array(plain, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(bags, bags, bags, (one, other, third) => {
        const [answer, truth, alias] = [one, other, third].map((words) => words.join(' '));
        const isSameBag = [...one].sort().join(' ') === [...other].sort().join(' ');
        expect(tokenF1(answer, [truth]) === 1).toBe(isSameBag);
        expect(tokenF1(answer, [truth, alias])).toBe(Math.max(tokenF1(answer, [truth]), tokenF1(answer, [alias])));
      }),
    );
  });

  it('of the truth among more words falls with every word, so that talk does not pay', () => {
    const talk = 'it may well be that this is so and more words follow here'.split(' ');
    const f1s = talk.map((_, index) => tokenF1(['oslo', ...talk.slice(0, index)].join(' '), ['Oslo']));
    expect(f1s).toEqual([...f1s].sort((a, b) => b - a));
    expect(new Set(f1s).size).toBe(f1s.length);
    expect(tokenF1('Oslo, Bergen, Rome, Paris, Berlin, London', ['Oslo'])).toBeCloseTo(2 / 7, 12);
  });
});

describe('rewardByF1', () => {
  const truth: Truth = { kind: 'text', answers: ['Ida Holm', 'I. Holm'] };

  it('is of what an answer says its answer is', () => {
    expect(rewardByF1('She painted it in 1932. <answer>Ida Maria Holm</answer>', truth, 'rules-3')).toBeCloseTo(
      4 / 5,
      12,
    );
    expect(rewardByF1('The answer is **Ida Maria Holm**.', truth, 'rules-3')).toBeCloseTo(4 / 5, 12);
    expect(rewardByF1('answer: '.repeat(1_000), truth, 'rules-3')).toBe(0);
  });

  it.each<Truth>([
    { kind: 'number', value: '12' },
    { kind: 'exact-number', value: 12 },
    { kind: 'expression', value: 'x + 1' },
    { kind: 'choice', letter: 'A', choices: ['Ida Holm', 'Ada'] },
    { kind: 'short-form', answer: 'Ida Holm' },
    { kind: 'twenty-four', numbers: [1, 2, 3, 4] },
  ])('is none for a truth that is no text: $kind', (other) => {
    expect(rewardByF1('Ida', other, 'rules-3')).toBeUndefined();
  });
});
