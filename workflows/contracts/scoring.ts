/** What the rules of scoring say of an answer; `undecided` where no rule can tell. */
export type Ruling = 'right' | 'wrong' | 'undecided';

/** How an answer was graded. The rules decide; where they cannot, the judge does; without one the answer is wrong. */
export interface Grading {
  rules: Ruling;
  /** The rule that spoke: `number`, `expression`, `choice`, `text`, … */
  rule: string;
  /** Share of words in common with the best of the right texts, as the harmonic mean of precision and recall. */
  f1?: number;
  /** Present where a judge was asked: because the rules could not decide, or to compare it with them. */
  judge?: JudgeVerdict;
}

export interface JudgeVerdict {
  /** Registered name of the language model. */
  model: string;
  equivalent: boolean;
  /** At most 1 KB, without the truth of a held-out question. */
  reason: string;
}
