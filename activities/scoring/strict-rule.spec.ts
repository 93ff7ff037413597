import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Truth } from '../datasets/items/truth.js';
import { scoreByRules } from './score-by-rules.js';
import { isStrictlyRight } from './strict-rule.js';
import { truthWithAnswer, WRAPPINGS } from './testing/made-up-golds.js';

const CHOICES: Truth = { kind: 'choice', letter: 'B', choices: ['Glucagon', 'Insulin'] };
const TEXT: Truth = { kind: 'text', answers: ['Paris'] };

describe(isStrictlyRight, () => {
  it('takes no answer for right that the rules do not, whatever the kind of truth', () => {
    fc.assert(
      fc.property(
        truthWithAnswer,
        truthWithAnswer,
        fc.constantFrom(...WRAPPINGS),
        fc.boolean(),
        ({ truth, answer }, other, wrap, isOwn) => {
          const said = wrap(isOwn ? answer : other.answer);
          if (isStrictlyRight(said, truth)) expect([said, truth, scoreByRules(said, truth).ruling]).toContain('right');
        },
      ),
      { numRuns: 4_000 },
    );
  });

  it('takes a truth for right as it stands, and marked', () => {
    fc.assert(
      fc.property(truthWithAnswer, ({ truth, answer }) => {
        for (const said of [answer, ` ${answer}\n`, `So it is:\n<answer>${answer}</answer>`]) {
          expect([said, truth, isStrictlyRight(said, truth)]).toEqual([said, truth, true]);
        }
      }),
    );
  });

  it.each<[string, Truth, boolean]>([
    ['The answer is Paris.', TEXT, false],
    ['paris.', TEXT, true],
    ['Paris, or Lyon', TEXT, false],
    ['<answer>Lyon</answer> <answer>Paris</answer>', TEXT, false],
    ['It is \\boxed{Paris}', TEXT, true],
    ['B', CHOICES, true],
    ['(B) Insulin', CHOICES, true],
    ['B because it lowers glucose', CHOICES, false],
    ['4,312', { kind: 'exact-number', value: 4312 }, true],
    ['0.5', { kind: 'number', value: '1/2' }, false],
    ['\\boxed{\\frac{1}{2}}', { kind: 'expression', value: '\\frac12' }, false],
    ['x^2 + 1', { kind: 'expression', value: 'x^2+1' }, true],
    ['(8 - 4) * 6 * 1', { kind: 'twenty-four', numbers: [1, 4, 6, 8] }, true],
    ['Use (8 - 4) * 6 * 1 = 24', { kind: 'twenty-four', numbers: [1, 4, 6, 8] }, false],
  ])('%j against %j: %s', (answer, truth, wanted) => {
    expect(isStrictlyRight(answer, truth)).toBe(wanted);
  });
});
