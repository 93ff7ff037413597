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

/** What the answers of a step's rollouts were like: of those that were graded, in training. */
export interface AnswerFigures {
  /** Of all answers, those that nobody decided. */
  undecided: AnswerShare;
  /** Of the rewarded answers, those that no stricter rule would accept. */
  lenient: AnswerShare;
  /** Of the rewarded answers, those that were rewarded for another question of the step too. */
  repeated: AnswerShare;
  /** Of the rewarded answers that a judge graded as well as a rule, those that it finds wrong. */
  denied: AnswerShare;
  /** Of all answers, by form. */
  forms: Record<AnswerForm, AnswerShare>;
  /** Characters of the median answer. */
  length: number;
}

export interface StepAnswers extends AnswerFigures {
  warnings: StepWarning[];
}
