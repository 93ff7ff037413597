/**
 * Versions of what counts as right, the newest last. Each change is a new version, and runs keep theirs. A
 * configuration that names no version means the first.
 */
export const RULES_VERSIONS = ['rules-1', 'rules-2', 'rules-3'] as const;
export type RulesVersion = (typeof RULES_VERSIONS)[number];

/** What the rules of scoring say of an answer; `undecided` if no rule can tell. */
export type Ruling = 'right' | 'wrong' | 'undecided';

/** What becomes of an answer that the rules cannot decide. */
export const UNDECIDED_CHOICES = ['wrong', 'exclude', 'judge'] as const;
export type UndecidedChoice = (typeof UNDECIDED_CHOICES)[number];

/** What a training rollout is rewarded by: the ruling alone, or the words in common if no rule can tell. */
export const REWARDS = ['exact', 'f1'] as const;
export type RewardChoice = (typeof REWARDS)[number];

/** What a configuration says of it. If it says nothing, the judge decides; without a judge the answer is wrong. */
export function choiceForUndecided({
  undecided,
  judge,
}: {
  undecided?: UndecidedChoice;
  judge?: object;
}): UndecidedChoice {
  return undecided ?? (judge ? 'judge' : 'wrong');
}

/** How an answer was graded. The rules decide; if they cannot, `choiceForUndecided` says what counts. */
export interface Grading {
  rules: Ruling;
  /** The rule that spoke: `number`, `expression`, `choice`, `text`, … */
  rule: string;
  /** Present if the rules say right and a stricter one would not (activities/scoring/strict-rule.ts). */
  lenient?: true;
  /** Share of words in common with the best of the right texts, as the harmonic mean of precision and recall. */
  f1?: number;
  /** Present if no rule could tell and the reward is this F1 (activities/scoring/token-f1.ts). */
  rewardF1?: number;
  /** Present if a judge was asked: because the rules could not decide, or to compare it with them. */
  judge?: JudgeVerdict;
}

/** Whether nobody decided about an answer: no rule could, no judge was asked, and it was not rewarded by F1. */
export function isUndecided(grading: Grading | null | undefined): boolean {
  return grading?.rules === 'undecided' && !grading.judge && grading.rewardF1 === undefined;
}

/** What came of an answer of an evaluation. Every one is exactly one of these. */
export const GRADES = ['right', 'wrong', 'undecided', 'excluded'] as const;
export type Grade = (typeof GRADES)[number];

export interface JudgeVerdict {
  /** Registered name of the language model. */
  model: string;
  equivalent: boolean;
  /** At most 1 KB, without the truth of a held-out question. */
  reason: string;
}
