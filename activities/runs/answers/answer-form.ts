import type { AnswerForm } from '../../../contracts/step-answers.js';

/** Of a longer answer its end is looked at. */
const MAX_LENGTH = 4_000;
/** More words are prose. */
const FEW_WORDS = 12;

const JUDGE = /\b(?:grader|grading|judge|evaluator|verifier|scorer|rubric)\b/i;
const VERDICT = /\b(?:correct|equivalent|accept(?:ed)?|full (?:credit|marks|score|reward)|reward|pass(?:es)?)\b/i;
const HEDGE =
  /\b(?:(?:can ?not|can't|could not|couldn't) (?:be )?(?:determine|find|answer|say|tell)|not (?:sure|enough|sufficient|certain|available|provided|specified)|insufficient|unknown|unclear|undetermined|uncertain|perhaps|possibly|probably|maybe|might|may be|could be|no (?:information|answer))/i;
const LIST_MARK = /^\s*(?:[-*•]|\d{1,2}[.)]|\(?[A-Za-z][.)])\s+\S/;
const MARKS = /<answer>|\\boxed\s*\{|\banswers?\s*(?:is|are|:)|^#{1,6}\s/im;

type Fits = (text: string) => boolean;

const FORMS: readonly (readonly [AnswerForm, Fits])[] = [
  ['empty', (text) => text === ''],
  // It speaks to whoever grades it.
  ['pleading', (text) => JUDGE.test(text) && VERDICT.test(text)],
  ['several', namesSeveral],
  ['hedged', (text) => HEDGE.test(text)],
  ['marked', (text) => MARKS.test(text)],
  ['bare', isBrief],
];

/** The form of an answer. It looks at its text alone, so that a right answer may have any form. */
export function formOf(answer: string): AnswerForm {
  const text = answer.trim().slice(-MAX_LENGTH);
  return FORMS.find(([, fits]) => fits(text))?.[0] ?? 'prose';
}

/** Several boxes or tags, alternatives, or a list: whoever names many things names the right one. */
function namesSeveral(text: string): boolean {
  if ((text.match(/<answer>|\\boxed\s*\{/gi) ?? []).length > 1) return true;
  const lines = text.split('\n').filter((line) => LIST_MARK.test(line));
  const parts = text.split(/[,;|/\n]/).filter((part) => part.trim() !== '');
  const areShort = parts.every((part) => wordsIn(part) <= 4);
  return lines.length >= 3 || (parts.length >= 4 && areShort) || (isBrief(text) && /\sor\s/i.test(text));
}

function isBrief(text: string): boolean {
  return !text.includes('\n') && wordsIn(text) <= FEW_WORDS;
}

function wordsIn(text: string): number {
  return text.trim().split(/\s+/).length;
}
