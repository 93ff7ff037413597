import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Truth } from '../../activities/datasets/items/truth.js';
import { truthWithAnswer, WRAPPINGS, type GoldOfKind } from '../../activities/scoring/testing/made-up-golds.js';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';

export interface Case {
  answer: string;
  truth: Truth;
  /** What a person says; the rulers are only asked whether an answer is right. */
  isRight: boolean;
}

type Recorded = [answer: string, truth: Truth, wanted: 'right' | 'wrong' | 'not-right' | 'not-wrong'];

const RECORDED = 'activities/scoring/testing/answer-cases.json';

/** Answers as models write them, most of them from public reports; those that a person leaves open are left out. */
export function recordedCases(): Case[] {
  const cases = JSON.parse(readFileSync(join(PROJECT_ROOT, RECORDED), 'utf8')) as Recorded[];
  return cases
    .filter(([, , wanted]) => wanted !== 'not-wrong')
    .map(([answer, truth, wanted]) => ({ answer, truth, isRight: wanted === 'right' }));
}

/**
 * Made-up truths of every kind, each answered in a wrapping that models use: half of them by the truth itself, half by
 * something that is surely another.
 */
export function generatedCases(count: number): Case[] {
  const drawn = fc.sample(fc.tuple(truthWithAnswer, truthWithAnswer, fc.constantFrom(...WRAPPINGS), fc.boolean()), {
    numRuns: 4 * count,
    seed: 13,
  });
  const cases = drawn.flatMap(([gold, other, wrap, isRight]): Case[] => {
    const said = isRight ? gold.answer : surelyWrong(gold, other);
    return said === undefined ? [] : [{ answer: wrap(said), truth: gold.truth, isRight }];
  });
  return cases.slice(0, count);
}

/** Undefined where a wrong answer cannot be made without asking a rule whether it is one. */
function surelyWrong({ truth, answer }: GoldOfKind, other: GoldOfKind): string | undefined {
  switch (truth.kind) {
    case 'exact-number':
      return String(truth.value + 1);
    case 'number':
      return /^-?\d+$/.test(truth.value) ? String(BigInt(truth.value) + 1n) : undefined;
    case 'choice':
      return truth.letter === 'A' ? 'B' : 'A';
    case 'twenty-four':
      return answer.replace(/\d+/, (digits) => String(Number(digits) + 1));
    case 'text':
    case 'short-form':
      return other.truth.kind === truth.kind && letters(other.answer) !== letters(answer) ? other.answer : undefined;
    case 'expression':
      return other.truth.kind === 'expression' && other.answer !== answer ? other.answer : undefined;
  }
}

/** Letters and digits alone: what differs in them is another text by anybody's rules. */
function letters(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[^\p{L}\p{N}]/gu, '')
    .toLowerCase()
    .replace(/^(?:the|an|a)/, '');
}
