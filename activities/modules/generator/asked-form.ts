import type { Query } from '../../../contracts/flow.js';

/** The question as the module that answers it reads it: with the form that its benchmark wants, where it has one. */
export function askedForm({ question, answerForm }: Pick<Query, 'question' | 'answerForm'>): string {
  return answerForm ? `${question}\n${answerForm}` : question;
}
