import { isUndecided, type Grading } from '../../../contracts/scoring.js';
import {
  ANSWER_FORMS,
  type AnswerExample,
  type AnswerFigures,
  type AnswerForm,
  type AnswerShare,
} from '../../../contracts/step-answers.js';
import { redactedStart } from '../../../infra/redaction/redact.js';
import { formOf } from './answer-form.js';

/** A training rollout whose answer was graded. */
export interface GradedAnswer {
  flowId: string;
  queryId: string;
  answer: string;
  /** Characters of the whole answer. */
  length: number;
  /** Null where the answer was left out because nobody could decide. */
  reward: number | null;
  grading: Grading | null;
}

const EXAMPLES = 3;
/** Characters of an answer. */
const EXAMPLE_LENGTH = 200;

/** What the answers of a step were like: a pure function of their rows, whose order decides no figure. */
export function figuresOf(answers: readonly GradedAnswer[]): AnswerFigures {
  const rewarded = answers.filter(({ reward }) => reward !== null && reward > 0);
  const checked = rewarded.filter(({ grading }) => grading?.judge && grading.rules === 'right');
  const repeated = repeatedIn(rewarded);
  const forms = groupBy(answers, ({ answer }) => formOf(answer));
  return {
    undecided: shareOf(
      answers.filter(({ grading }) => isUndecided(grading)),
      answers,
    ),
    lenient: shareOf(rewarded.filter(isLenient), rewarded),
    repeated: shareOf(repeated, rewarded),
    denied: shareOf(
      checked.filter(({ grading }) => grading?.judge?.equivalent === false),
      checked,
    ),
    forms: Object.fromEntries(ANSWER_FORMS.map((form) => [form, shareOf(forms.get(form) ?? [], answers)])) as Record<
      AnswerForm,
      AnswerShare
    >,
    length: median(answers.map(({ length }) => length)),
  };
}

/** The figures among a step's metrics. */
export function answerMetrics({ undecided, lenient, repeated, denied, forms, length }: AnswerFigures): object {
  const shares = ANSWER_FORMS.map((form) => [form, forms[form].share] as const).filter(([, share]) => share > 0);
  return {
    undecided_share: undecided.share,
    lenient_share: lenient.share,
    repeated_share: repeated.share,
    ...(denied.of > 0 && { denied_share: denied.share }),
    answer_length: length,
    answer_forms: Object.fromEntries(shares),
  };
}

/** Accepted by a rule that forgives something, or by a judge or F1 where no rule could tell. */
function isLenient({ grading }: GradedAnswer): boolean {
  return grading?.lenient === true || grading?.rules === 'undecided';
}

/** The answers that were given to several questions, those of most questions first. */
function repeatedIn(answers: readonly GradedAnswer[]): GradedAnswer[] {
  const same = groupBy(answers, ({ answer }) => asCompared(answer));
  const questions = (group: readonly GradedAnswer[]) => new Set(group.map(({ queryId }) => queryId)).size;
  return [...same.values()]
    .map((group) => ({ group, asked: questions(group) }))
    .filter(({ asked }) => asked > 1)
    .sort((a, b) => b.asked - a.asked || b.group.length - a.group.length)
    .flatMap(({ group }) => group);
}

function shareOf(some: readonly GradedAnswer[], all: readonly GradedAnswer[]): AnswerShare {
  const share = all.length === 0 ? 0 : some.length / all.length;
  return { answers: some.length, of: all.length, share, examples: examplesOf(some) };
}

/** The first that differ. */
function examplesOf(answers: readonly GradedAnswer[]): AnswerExample[] {
  const different = new Map<string, AnswerExample>();
  for (const { flowId, answer } of answers) {
    if (different.size === EXAMPLES) break;
    const key = asCompared(answer);
    if (!different.has(key)) different.set(key, { rollout: flowId, answer: redactedStart(answer, EXAMPLE_LENGTH) });
  }
  return [...different.values()];
}

function groupBy<Key>(
  answers: readonly GradedAnswer[],
  keyOf: (answer: GradedAnswer) => Key,
): Map<Key, GradedAnswer[]> {
  const groups = new Map<Key, GradedAnswer[]>();
  for (const answer of answers) {
    const key = keyOf(answer);
    const group = groups.get(key);
    if (group) group.push(answer);
    else groups.set(key, [answer]);
  }
  return groups;
}

function asCompared(answer: string): string {
  return answer.trim().toLowerCase().replace(/\s+/g, ' ');
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
