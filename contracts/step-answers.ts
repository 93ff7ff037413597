/** What an answer looks like, told from its text alone. Each has one form: the first of these that fits. */
export const ANSWER_FORMS = ['empty', 'pleading', 'several', 'hedged', 'marked', 'bare', 'prose'] as const;
export type AnswerForm = (typeof ANSWER_FORMS)[number];

export interface AnswerExample {
  /** Id of the rollout's flow. */
  rollout: string;
  /** Its beginning, redacted. */
  answer: string;
}

/** How many of some answers have a property, and a few of those that have it. */
export interface AnswerShare {
  answers: number;
  of: number;
  /** 0 if `of` is. */
  share: number;
  examples: AnswerExample[];
}

/** What a step's warning is about. */
export const WARNING_KINDS = ['undecided', 'denied', 'lenient', 'repeated', 'length', 'form'] as const;
export type WarningKind = (typeof WARNING_KINDS)[number];

export interface StepWarning {
  kind: WarningKind;
  /** A sentence with the figure and what it is compared with. */
  message: string;
  examples: AnswerExample[];
}

/** What the graded answers of a step's training rollouts were like. */
export interface AnswerFigures {
  /** Answers that nobody decided, out of all. */
  undecided: AnswerShare;
  /** Answers that no stricter rule would accept, out of those rewarded. */
  lenient: AnswerShare;
  /** Answers that were rewarded for another question of the step too, out of those rewarded. */
  repeated: AnswerShare;
  /** Answers that a judge finds wrong, out of those rewarded that it graded besides a rule. */
  denied: AnswerShare;
  /** Answers of each form, out of all. */
  forms: Record<AnswerForm, AnswerShare>;
  /** Characters of the median answer. */
  length: number;
}

export interface StepAnswers extends AnswerFigures {
  warnings: StepWarning[];
}
