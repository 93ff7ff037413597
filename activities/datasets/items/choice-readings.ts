import { RowError } from '../rows/rows.js';
import type { Truth } from './truth.js';

/** What an answer of multiple choice may mean, each as a place among `choices`. Its file decides, as a whole. */
export interface ChoiceReadings {
  kind: 'choice-readings';
  choices: string[];
  /** The one choice that has this text. */
  text?: number;
  code?: ChoiceCode;
}

export type ChoiceCode = LetterCode | IndexCode;

interface LetterCode {
  by: 'letter';
  choice?: number;
}

interface IndexCode {
  by: 'index';
  fromZero?: number;
  fromOne?: number;
  isZero: boolean;
  /** Counted from 0, it is behind the last choice. */
  isBeyond: boolean;
}

export type ChoiceTruth = Extract<Truth, { kind: 'choice' }>;
type By = 'letter' | 'index';
/** How answers that are the text of one choice and the code of another are read. */
type Rule = 'text' | 'code' | 'neither';

/** What would be an accident of less than this probability is said. */
const IMPROBABLE = 1e-4;

export function letterOf(index: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + index);
}

/** @throws RowError if there are too few choices or the right one is not among them */
export function choiceTruth(choices: readonly string[], right: number): ChoiceTruth {
  if (choices.length < 2 || choices.length > 26) throw new RowError(`has ${choices.length} choices`);
  if (!Number.isInteger(right) || right < 0 || right >= choices.length) {
    throw new RowError('has an answer that is none of its choices');
  }
  return { kind: 'choice', letter: letterOf(right), choices: [...choices] };
}

/**
 * Decides what the answers of a file mean. Indices count from 1 if one is behind the last choice and none is 0. What is
 * the text of one choice and the letter or index of another is read as the file's other answers are: as a text if each
 * is one, as a code if each is one, else not at all.
 * @returns a truth, or why there is none, for each of them in order; and what a person should know
 */
export function decideChoices(all: readonly ChoiceReadings[]): { truths: (ChoiceTruth | RowError)[]; notes: string[] } {
  const indices = codesAlone(all, 'index');
  const base = baseOf(indices);
  const meant = all.map((readings) => ({ readings, code: choiceByCode(readings, base) }));
  const rules = { letter: ruleOf(all, 'letter'), index: ruleOf(all, 'index') };
  const twofold = meant.filter(({ readings, code }) => isTwofold(readings, code));
  return {
    truths: meant.map(({ readings, code }) => attempt(() => decide(readings, code, rules))),
    notes: [
      ...notesOnBase(indices, base),
      ...(['letter', 'index'] as const).flatMap((by) =>
        noteOnRule(by, twofold.filter(({ readings }) => readings.code?.by === by).length, rules[by]),
      ),
    ],
  };
}

/** Those that are no text of a choice and can be nothing but codes. */
function codesAlone(all: readonly ChoiceReadings[], by: By): ChoiceReadings[] {
  return all.filter(({ code, text }) => code?.by === by && text === undefined);
}

function baseOf(indices: readonly ChoiceReadings[]): 0 | 1 {
  const hasZero = indices.some(({ code }) => code?.by === 'index' && code.isZero);
  return !hasZero && indices.some(isBeyond) ? 1 : 0;
}

function isBeyond({ code }: ChoiceReadings): boolean {
  return code?.by === 'index' && code.isBeyond;
}

function choiceByCode({ code }: ChoiceReadings, base: 0 | 1): number | undefined {
  if (code?.by !== 'index') return code?.choice;
  return base === 0 ? code.fromZero : code.fromOne;
}

function ruleOf(all: readonly ChoiceReadings[], by: By): Rule {
  if (codesAlone(all, by).length === 0) return 'text';
  return all.some(isTextAlone) ? 'neither' : 'code';
}

function isTextAlone({ code, text }: ChoiceReadings): boolean {
  const isCode =
    code?.by === 'letter' ? code.choice !== undefined : code?.fromZero !== undefined || code?.fromOne !== undefined;
  return text !== undefined && !isCode;
}

function isTwofold({ text }: ChoiceReadings, code: number | undefined): boolean {
  return text !== undefined && code !== undefined && text !== code;
}

function decide(readings: ChoiceReadings, code: number | undefined, rules: Record<By, Rule>): ChoiceTruth {
  const { choices, text } = readings;
  const rule = rules[readings.code?.by ?? 'index'];
  if (isTwofold(readings, code) && rule === 'neither') {
    throw new RowError(
      'has an answer that is the text of one choice and the letter or index of another: write letters',
    );
  }
  if (text === undefined && code === undefined && isBeyond(readings)) {
    throw new RowError('has an answer that is none of its choices, which are counted from 0: others are 0');
  }
  return choiceTruth(choices, (rule === 'text' ? (text ?? code) : (code ?? text)) ?? -1);
}

function attempt(act: () => ChoiceTruth): ChoiceTruth | RowError {
  try {
    return act();
  } catch (error) {
    if (error instanceof RowError) return error;
    throw error;
  }
}

function notesOnBase(indices: readonly ChoiceReadings[], base: 0 | 1): string[] {
  if (base === 1) {
    const beyond = indices.filter(isBeyond).length;
    return [
      `answers are read as indices from 1: none is 0, and ${beyond} of ${indices.length} would be behind the last choice`,
    ];
  }
  if (indices.some(({ code }) => code?.by === 'index' && code.isZero)) return [];
  const accident = indices.reduce((product, { choices }) => product * (1 - 1 / choices.length), 1);
  if (accident >= IMPROBABLE) return [];
  return [
    `answers are read as indices from 0, though none of ${indices.length} is 0: if they count from 1, each right choice is ` +
      'taken for the one before it. Look at some questions, and write letters if so',
  ];
}

function noteOnRule(by: By, count: number, rule: Rule): string[] {
  if (count === 0 || rule === 'neither') return [];
  const [taken, because] =
    rule === 'text'
      ? ['text', `no answer is ${by === 'index' ? 'an index' : 'a letter'} alone`]
      : [by, 'no answer is a text alone'];
  return [
    `${count} answers are the text of one choice and the ${by} of another: they are read as the ${taken}, as ${because}`,
  ];
}
