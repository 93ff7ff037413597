import { quotedList } from '../rows/quoted-list.js';
import { parseJson } from '../rows/parse-json.js';
import { isRow, MissingText, scalarText, textOf, valueOf, type Row } from '../rows/rows.js';
import {
  choiceTruth,
  letterOf,
  type ChoiceCode,
  type ChoiceReadings,
  type ChoiceTruth,
} from '../items/choice-readings.js';
import { finalResult } from './final-result.js';

/** What a question offers, without what is empty. */
export interface Choices {
  texts: string[];
  /** Where each stood in the file, from 0: an index counts the empty ones too. */
  positions: number[];
  /** What the file calls each, if it does: `A`, `1`, the name of its column. */
  labels: (string | undefined)[];
}

interface Offered {
  label?: string;
  text: string;
}

/**
 * The choices in these columns: one with a list, an object by letter, `{ text, label }` or a text, or else one each. A
 * letter before each of them (`B. text`, `(B) text`) is no part of it.
 * @throws RowError if there are none
 */
export function choicesOf(row: Row, ...columns: string[]): Choices {
  const offered =
    columns.length === 1
      ? offeredIn(valueOf(row, columns[0]))
      : columns.map((column) => ({ label: labelIn(column), text: scalarText(valueOf(row, column)) ?? '' }));
  const present = offered.map((choice, position) => ({ ...choice, position })).filter(({ text }) => text !== '');
  if (present.length === 0) throw new MissingText(columns);
  return {
    texts: bareChoices(present.map(({ text }) => text)),
    positions: present.map(({ position }) => position),
    labels: present.map(({ label }) => label),
  };
}

/** A column's position is no label. */
function labelIn(column: string): string | undefined {
  return /^\d+$/.test(column) ? undefined : column;
}

function offeredIn(value: unknown): Offered[] {
  if (Array.isArray(value)) return value.map(offeredAt);
  if (isRow(value)) return offeredByLabel(value);
  const text = scalarText(value) ?? '';
  if (text === '') return [];
  const list = quotedList(text) ?? jsonIn(text);
  if (list !== undefined) return offeredIn(list);
  return listedIn(text).map(offeredAt);
}

function offeredAt(value: unknown): Offered {
  if (!isRow(value)) return { text: scalarText(value) ?? '' };
  return {
    label: textOf(value, 'label', 'key', 'letter', 'id'),
    text: textOf(value, 'text', 'value', 'content') ?? '',
  };
}

function offeredByLabel(value: Row): Offered[] {
  const { text: texts, label: labels } = value;
  if (Array.isArray(texts)) {
    return texts.map((text, index) => ({
      label: (Array.isArray(labels) && scalarText(labels[index])) || undefined,
      text: scalarText(text) ?? '',
    }));
  }
  const names = Object.keys(value).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return names.map((label) => ({ label, text: scalarText(value[label]) ?? '' }));
}

/** A list or an object that is written as JSON. */
function jsonIn(text: string): unknown {
  if (!/^[[{]/.test(text)) return undefined;
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** A line each, or a letter each, or with signs between them. */
function listedIn(text: string): string[] {
  const lettered = text.split(/(?:^|\s+)(?=\(?[A-Z][.):]\s)/).filter((part) => part.trim() !== '');
  if (lettered.length > 1 && areLettered(lettered)) return lettered;
  const separator = ['\n', '|', ';'].find((sign) => text.includes(sign));
  return separator === undefined ? [text] : text.split(separator).map((part) => part.trim());
}

function bareChoices(choices: readonly string[]): string[] {
  const lettered = areLettered(choices);
  return choices.map((choice) => (lettered ? choice.replace(/^\(?[A-Z][.):]\s+/, '') : choice).trim());
}

function areLettered(choices: readonly string[]): boolean {
  if (choices.length > 26) return false;
  return choices.every((choice, index) => new RegExp(`^\\(?${letterOf(index)}[.):]\\s`).test(choice));
}

/** The question followed by its lettered choices. */
export function questionWithChoices(question: string, choices: readonly string[]): string {
  return [question.trim(), ...choices.map((choice, index) => `${letterOf(index)}. ${choice}`)].join('\n');
}

/**
 * What the answer of a record may be: a label that the file gives, or else an index, a letter or a content, of which
 * the file as a whole says which. `index` and `answer` are columns: if they are two, a content in one explains an index
 * in the other.
 * @throws RowError if it is none of the choices
 */
export function rightChoice(row: Row, choices: Choices, index: string, answer: string): ChoiceTruth | ChoiceReadings {
  const { texts: offered, labels } = choices;
  const given = finalResult(textOf(row, index, answer) ?? '');
  const label = labels.indexOf(given);
  if (label >= 0) return choiceTruth(offered, label);
  const code = codeOf(given, choices);
  const text = placeOf(offered, finalResult(textOf(row, answer) ?? ''));
  if (code === undefined && text === undefined) return choiceTruth(offered, -1);
  const isExplained = index !== answer && textOf(row, index) !== undefined && code !== undefined;
  return {
    kind: 'choice-readings',
    choices: offered,
    ...(isExplained ? { code: explained(code, text) } : { text, code }),
  };
}

/** An index or a letter; undefined for another text. */
function codeOf(given: string, { labels, positions }: Choices): ChoiceCode | undefined {
  const letter = /^\(?([A-Za-z])(?:[.):]\s|\)?[.:]?$)/.exec(given)?.[1].toUpperCase();
  if (letter !== undefined) {
    const place = placeOf(labels, letter) ?? placeOf(positions, letter.charCodeAt(0) - 'A'.charCodeAt(0));
    return { by: 'letter', choice: place };
  }
  if (!/^\d+(?:\.0+)?$/.test(given)) return undefined;
  const value = Number(given);
  const isBeyond = positions.every((position) => position < value);
  return {
    by: 'index',
    fromZero: placeOf(positions, value),
    fromOne: placeOf(positions, value - 1),
    isZero: value === 0,
    isBeyond,
  };
}

/** The index that leads to the choice of this text, if either does. */
function explained(code: ChoiceCode, text: number | undefined): ChoiceCode {
  if (code.by === 'letter' || text === undefined || ![code.fromZero, code.fromOne].includes(text)) return code;
  return { ...code, fromZero: text, fromOne: text };
}

function placeOf<T>(list: readonly T[], value: T): number | undefined {
  const found = list.indexOf(value);
  return found < 0 ? undefined : found;
}
