import { quotedList } from '../rows/quoted-list.js';
import { parseJson } from '../rows/parse-json.js';
import { isRow, MissingText, RowError, scalarText, textOf, valueOf, type Row } from '../rows/rows.js';
import type { Truth } from '../items/truth.js';
import { finalResult } from './final-result.js';

type ChoiceTruth = Extract<Truth, { kind: 'choice' }>;

/** What a question offers, without what is empty. */
export interface Choices {
  texts: string[];
  /** Where each stood in the file, from 0: an index counts the empty ones too. */
  positions: number[];
  /** What the file calls each: `A`, `1`, the name of its column. */
  labels: string[];
}

interface Offered {
  label: string;
  text: string;
}

function letterOf(index: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + index);
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
      : columns.map((label) => ({ label, text: scalarText(valueOf(row, label)) ?? '' }));
  const present = offered.map((choice, position) => ({ ...choice, position })).filter(({ text }) => text !== '');
  if (present.length === 0) throw new MissingText(columns);
  return {
    texts: bareChoices(present.map(({ text }) => text)),
    positions: present.map(({ position }) => position),
    labels: present.map(({ label }) => label),
  };
}

function offeredIn(value: unknown): Offered[] {
  if (Array.isArray(value)) return value.map((one, index) => offeredAt(one, index));
  if (isRow(value)) return offeredByLabel(value);
  const text = scalarText(value) ?? '';
  if (text === '') return [];
  const list = quotedList(text) ?? jsonIn(text);
  if (list !== undefined) return offeredIn(list);
  return listedIn(text).map((one, index) => offeredAt(one, index));
}

function offeredAt(value: unknown, index: number): Offered {
  if (!isRow(value)) return { label: letterOf(index), text: scalarText(value) ?? '' };
  return {
    label: textOf(value, 'label', 'key', 'letter', 'id') ?? letterOf(index),
    text: textOf(value, 'text', 'value', 'content') ?? '',
  };
}

function offeredByLabel(value: Row): Offered[] {
  const { text: texts, label: labels } = value;
  if (Array.isArray(texts)) {
    return texts.map((text, index) => ({
      label: (Array.isArray(labels) && scalarText(labels[index])) || letterOf(index),
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

/** @throws RowError if there are too few choices or the right one is not among them */
export function choiceTruth(choices: readonly string[], right: number): ChoiceTruth {
  if (choices.length < 2 || choices.length > 26) throw new RowError(`has ${choices.length} choices`);
  if (!Number.isInteger(right) || right < 0 || right >= choices.length) {
    throw new RowError('has an answer that is none of its choices');
  }
  return { kind: 'choice', letter: letterOf(right), choices: [...choices] };
}

/**
 * The right choice by an index or a label, else by its content: the columns where the file says so.
 * @throws RowError if it is none of the choices
 */
export function rightChoice(row: Row, choices: Choices, index: string, answer: string): ChoiceTruth {
  const position = textOf(row, index);
  const right =
    (position === undefined ? undefined : indexAt(position, choices)) ?? indexOfContent(row, choices, answer);
  if (right === -1 && position === String(choices.texts.length)) {
    throw new RowError('has an answer that is none of its choices: are they counted from 1? From 0 is expected');
  }
  return choiceTruth(choices.texts, right);
}

/** An index if the labels are letters, else a label. -1 if there is no such choice; undefined for another text. */
function indexAt(position: string, { labels, positions }: Choices): number | undefined {
  const isIndex = /^\d+(?:\.0+)?$/.test(position) && !labels.includes(position);
  if (isIndex) return positions.indexOf(Number(position));
  const byLabel = labels.indexOf(position);
  if (byLabel >= 0) return byLabel;
  return /^[A-Z]$/.test(position) ? positions.indexOf(position.charCodeAt(0) - 'A'.charCodeAt(0)) : undefined;
}

function indexOfContent(row: Row, choices: Choices, answer: string): number {
  const content = finalResult(textOf(row, answer) ?? '');
  const found = choices.texts.indexOf(content);
  if (found >= 0) return found;
  const lettered = /^\(?([A-Za-z])(?:[.):]\s|\)?[.:]?$)/.exec(content)?.[1];
  return (lettered === undefined ? undefined : indexAt(lettered.toUpperCase(), choices)) ?? -1;
}
