import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ruling } from '../../contracts/scoring.js';
import type { Truth } from '../datasets/items/truth.js';
import { scoreByRules1 } from './rules-1/score-by-rules.js';
import { scoreByRules2 } from './rules-2/score-by-rules.js';
import { scoreByRules } from './score-by-rules.js';

/** Answers as models write them; the last, where there is one, is the public report that it was made from. */
type Case = [answer: string, truth: Truth, wanted: Ruling | 'not-right' | 'not-wrong', report?: string];

const cases = casesOf('answer-cases.json');
/** Answers that a reader who did not know the rules tried on them, and whose ruling nobody disputes. */
const edges = casesOf('edge-cases.json');

function casesOf(file: string): Case[] {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'testing', file), 'utf8')) as Case[];
}

function allows(wanted: Case[2], ruling: Ruling): boolean {
  return wanted === 'not-right' || wanted === 'not-wrong' ? `not-${ruling}` !== wanted : ruling === wanted;
}

describe('answers as models write them', () => {
  it.each([...cases, ...edges])('%j against %j is %s', (answer, truth, wanted) => {
    const { ruling } = scoreByRules(answer, truth);
    expect([ruling, allows(wanted, ruling)]).toEqual([ruling, true]);
  });
});

describe('a run that began with rules-2', () => {
  it('is scored as it was, right or wrong', () => {
    const falselyRight = edges.filter(
      ([answer, truth, wanted]) => !allows(wanted, 'right') && scoreByRules2(answer, truth).ruling === 'right',
    );
    expect(falselyRight).toHaveLength(421);
    expect(cases.every(([answer, truth, wanted]) => allows(wanted, scoreByRules2(answer, truth).ruling))).toBe(true);
  });
});

describe('a run that began with rules-1', () => {
  it('is scored as it was, right or wrong', () => {
    const misruled = cases.filter(([answer, truth, wanted]) => !allows(wanted, scoreByRules1(answer, truth).ruling));
    expect(misruled).toHaveLength(274);
    expect(scoreByRules1('No information found.', { kind: 'text', answers: ['no'] }).ruling).toBe('right');
    expect(scoreByRules1('5', { kind: 'text', answers: ['-5'] }).ruling).toBe('right');
  });
});
