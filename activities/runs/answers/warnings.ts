import {
  ANSWER_FORMS,
  type AnswerFigures,
  type AnswerForm,
  type AnswerShare,
  type StepWarning,
} from '../../../contracts/step-answers.js';

/** Steps at the beginning of a run, and steps up to the last, that are compared: means of fewer drift by chance. */
export const FIRST_STEPS = 5;
export const LAST_STEPS = 5;

/** Above this share of a step's answers nobody decides. */
const UNDECIDED_BOUND = 0.1;
/** Above this share of what it checked, a judge denies what the rules reward; of fewer nothing is said. */
const DENIED_BOUND = 0.2;
const CHECKED_AT_LEAST = 10;
/** How far a share may rise. */
const RISE_BOUND = 0.3;
/** How many times as long, or as short, answers may become. Lengths below 20 characters are all short. */
const LENGTH_BOUND = 3;
const SHORT = 20;
/** How much of the answers may take another form: total variation distance. */
const FORM_BOUND = 0.4;

type Share = Pick<AnswerShare, 'answers' | 'of' | 'share'>;

/**
 * What in the answers of a step somebody should look at: a pure function of its figures and of those of earlier steps,
 * with the first ones of the run. What is compared with the beginning of the run is compared from step 10 on.
 * @param first the first steps of the run
 * @param last the last steps, the one in question at their end
 */
export function warningsOf(first: readonly AnswerFigures[], last: readonly AnswerFigures[]): StepWarning[] {
  const step = last.at(-1);
  if (!step) return [];
  const present = [undecided(step), denied(last)];
  const canCompare = first.length === FIRST_STEPS && last.length === LAST_STEPS;
  const drifts = canCompare
    ? [risen('lenient', first, last), risen('repeated', first, last), length(first, last), form(first, last)]
    : [];
  return [...present, ...drifts].filter((warning) => warning !== undefined);
}

/** Half the sum of the differences: the share of answers that would have to take another form, 0 to 1. */
export function distance(
  one: Readonly<Record<AnswerForm, number>>,
  other: Readonly<Record<AnswerForm, number>>,
): number {
  return ANSWER_FORMS.reduce((sum, name) => sum + Math.abs(one[name] - other[name]), 0) / 2;
}

function undecided({ undecided: { share, answers, of, examples } }: AnswerFigures): StepWarning | undefined {
  if (share <= UNDECIDED_BOUND) return undefined;
  const message =
    `${percent(share)} of the answers are undecided (${answers} of ${of}; the bound is ${percent(UNDECIDED_BOUND)}): ` +
    'no rule can tell whether they are right, and no judge was asked.';
  return { kind: 'undecided', message, examples };
}

function denied(last: readonly AnswerFigures[]): StepWarning | undefined {
  const { answers, of, share } = together(last.map((figures) => figures.denied));
  if (of < CHECKED_AT_LEAST || share <= DENIED_BOUND) return undefined;
  const message = `The judge finds wrong ${answers} of the ${of} answers that rules rewarded and that it checked (${inSteps(last)}).`;
  return { kind: 'denied', message, examples: latest(last, (figures) => figures.denied) };
}

const RISEN = {
  lenient: 'of the rewarded answers are right by no stricter rule',
  repeated: 'of the rewarded answers were rewarded for several questions of a step',
};

function risen(
  kind: keyof typeof RISEN,
  first: readonly AnswerFigures[],
  last: readonly AnswerFigures[],
): StepWarning | undefined {
  const [before, now] = [first, last].map((steps) => together(steps.map((figures) => figures[kind])).share);
  if (now - before <= RISE_BOUND) return undefined;
  const message = `${percent(now)} ${RISEN[kind]} (${inSteps(last)}); at the beginning of the run ${percent(before)} were.`;
  return { kind, message, examples: latest(last, (figures) => figures[kind]) };
}

function length(first: readonly AnswerFigures[], last: readonly AnswerFigures[]): StepWarning | undefined {
  const [before, now] = [first, last].map((steps) => mean(steps.map((figures) => figures.length)));
  const ratio = (now + SHORT) / (before + SHORT);
  if (Math.max(ratio, 1 / ratio) <= LENGTH_BOUND) return undefined;
  const message = `The median answer has ${Math.round(now)} characters (${inSteps(last)}); at the beginning of the run it had ${Math.round(before)}.`;
  return { kind: 'length', message, examples: latest(last, ({ forms }) => forms[commonest(shares(last))]) };
}

function form(first: readonly AnswerFigures[], last: readonly AnswerFigures[]): StepWarning | undefined {
  const [before, now] = [shares(first), shares(last)];
  if (distance(before, now) <= FORM_BOUND) return undefined;
  const grown = ANSWER_FORMS.reduce((one, other) =>
    now[other] - before[other] > now[one] - before[one] ? other : one,
  );
  const message =
    `The form of the answers has changed: ${percent(now[grown])} are of the form "${grown}" (${inSteps(last)}), ` +
    `${percent(before[grown])} were at the beginning of the run.`;
  return { kind: 'form', message, examples: latest(last, ({ forms }) => forms[grown]) };
}

/** Of all answers of these steps together. */
function together(some: readonly Share[]): Share {
  const answers = some.reduce((sum, share) => sum + share.answers, 0);
  const of = some.reduce((sum, share) => sum + share.of, 0);
  return { answers, of, share: of === 0 ? 0 : answers / of };
}

function shares(steps: readonly AnswerFigures[]): Record<AnswerForm, number> {
  const ofForm = (name: AnswerForm) => together(steps.map(({ forms }) => forms[name])).share;
  return Object.fromEntries(ANSWER_FORMS.map((name) => [name, ofForm(name)])) as Record<AnswerForm, number>;
}

function commonest(of: Readonly<Record<AnswerForm, number>>): AnswerForm {
  return ANSWER_FORMS.reduce((one, other) => (of[other] > of[one] ? other : one));
}

/** The examples of the last step that has any. */
function latest(steps: readonly AnswerFigures[], shareOf: (figures: AnswerFigures) => AnswerShare) {
  return steps.map((figures) => shareOf(figures).examples).findLast((examples) => examples.length > 0) ?? [];
}

function inSteps({ length: steps }: readonly AnswerFigures[]): string {
  return steps === 1 ? 'this step' : `last ${steps} steps`;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
