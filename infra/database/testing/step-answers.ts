import { ANSWER_FORMS, type AnswerForm, type AnswerShare, type StepAnswers } from '../../../contracts/step-answers.js';

const NONE: AnswerShare = { answers: 0, of: 4, share: 0, examples: [] };

/** The answers of a step of a test: one of four is undecided, and the step warns of it. */
export function stepAnswers(): StepAnswers {
  const examples = [{ rollout: 'run-a/2/0/1', answer: 'America\n or so' }];
  const forms = Object.fromEntries(ANSWER_FORMS.map((form) => [form, NONE])) as Record<AnswerForm, AnswerShare>;
  return {
    undecided: { answers: 1, of: 4, share: 0.25, examples },
    lenient: NONE,
    repeated: NONE,
    denied: { ...NONE, of: 0 },
    forms: { ...forms, bare: { answers: 4, of: 4, share: 1, examples } },
    length: 7,
    warnings: [{ kind: 'undecided', message: '25 % of the answers are undecided.', examples }],
  };
}
