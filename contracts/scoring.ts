/**
 * Versions of what counts as right, the newest last: a change of it is a new one, and runs keep theirs. Configurations of
 * before there was a choice name none, and mean the first.
 */
export const RULES_VERSIONS = ['rules-1', 'rules-2'] as const;
export type RulesVersion = (typeof RULES_VERSIONS)[number];

/** What the rules of scoring say of an answer; `undecided` where no rule can tell. */
export type Ruling = 'right' | 'wrong' | 'undecided';

/** What becomes of an answer that the rules cannot decide. */
export const UNDECIDED_CHOICES = ['wrong', 'exclude', 'judge'] as const;
export type UndecidedChoice = (typeof UNDECIDED_CHOICES)[number];

/** What a configuration says of it; where it says nothing, the judge decides, and without one the answer is wrong. */
export function choiceForUndecided({
  undecided,
  judge,
}: {
  undecided?: UndecidedChoice;
  judge?: object;
}): UndecidedChoice {
  return undecided ?? (judge ? 'judge' : 'wrong');
}

/** How an answer was graded. The rules decide; where they cannot, it is as `choiceForUndecided` says. */
export interface Grading {
  rules: Ruling;
  /** The rule that spoke: `number`, `expression`, `choice`, `text`, … */
  rule: string;
  /** Where the rules say right, and a stricter one would not: they forgave something (activities/scoring/strict-rule.ts). */
  lenient?: true;
  /** Share of words in common with the best of the right texts, as the harmonic mean of precision and recall. */
  f1?: number;
  /** Present where a judge was asked: because the rules could not decide, or to compare it with them. */
  judge?: JudgeVerdict;
}

/** Whether nobody decided about an answer: no rule could, and no judge was asked. */
export function isUndecided(grading: Grading | null | undefined): boolean {
  return grading?.rules === 'undecided' && !grading.judge;
}

export interface JudgeVerdict {
  /** Registered name of the language model. */
  model: string;
  equivalent: boolean;
  /** At most 1 KB, without the truth of a held-out question. */
  reason: string;
}
