import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { scoreByRules } from './score-by-rules.js';
import { truthWithAnswer, WRAPPINGS } from './testing/made-up-golds.js';

describe('a gold', () => {
  it('is right for itself, bare and in every wrapping, whatever its kind', () => {
    fc.assert(
      fc.property(truthWithAnswer, fc.constantFrom(...WRAPPINGS), ({ truth, answer }, wrap) => {
        expect([wrap(answer), truth, scoreByRules(wrap(answer), truth).ruling]).toEqual([wrap(answer), truth, 'right']);
      }),
      { numRuns: 4_000 },
    );
  });

  it('is read in bounded time, whatever the answer', () => {
    const units = [
      '*',
      '$',
      '{',
      '\\\\boxed{',
      'It is. ',
      'The answer is ',
      'x is the answer, ',
      '1',
      '(',
      '\\n',
      ' because ',
      '1+',
    ];
    for (const unit of units) {
      const answer = `The answer is ${unit.repeat(200_000 / unit.length)}`;
      for (const kind of ['number', 'expression'] as const) scoreByRules(answer, { kind, value: '5' });
      scoreByRules(answer, { kind: 'text', answers: ['Lisbon'] });
      scoreByRules(answer, { kind: 'choice', letter: 'A', choices: ['one', 'two'] });
    }
  });

  it('is right for itself as any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (gold) => {
        fc.pre(gold.trim() !== '' && !/<\/?(?:answer|think)>/i.test(gold));
        expect(scoreByRules(gold, { kind: 'text', answers: [gold] }).ruling).toBe('right');
      }),
      { numRuns: 1_000 },
    );
  });
});
