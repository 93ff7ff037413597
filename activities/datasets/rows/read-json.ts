import { extname } from 'node:path';
import { valuesOfArray } from './array-values.js';
import { decodeText, linesOf } from './decode-text.js';
import { NamedTwice, parseJson } from './parse-json.js';
import { type Found, isRow, type Wanted } from './rows.js';

/** Lines that are looked at to tell records of a line each from records of several. */
const LOOKED_AT = 2;

/**
 * JSON Lines, an array of records, records that follow each other, or an object that holds a list of them: what the
 * file is counts, and not its name. A malformed record is a problem in its place; the others are read.
 */
export async function* readJson(path: string, { columns, note }: Wanted): AsyncGenerator<Found> {
  const text = () => decodeText(path, note);
  if (extname(path) !== '.json' && !(await isDocument(linesOf(text())))) {
    yield* readLines(linesOf(text()));
    return;
  }
  const values = await valuesOfArray(text());
  if (values) for (const value of values) yield { value };
  else yield* readDocument(await joined(text()), columns);
}

async function joined(pieces: AsyncIterable<string>): Promise<string> {
  const all: string[] = [];
  for await (const piece of pieces) all.push(piece);
  return all.join('');
}

/** Whether a file is not of a record a line, by its first lines that are not blank. */
async function isDocument(lines: AsyncIterable<string>): Promise<boolean> {
  const first: string[] = [];
  for await (const line of lines) {
    if (line.trim() !== '') first.push(line);
    if (first.length === LOOKED_AT) break;
  }
  return first.length > 0 && (/^\s*\{\s*$/.test(first[0]) || (/^\s*\[/.test(first[0]) && !isLines(first)));
}

/** Whether an array in the first line is a record, though not a good one: others follow it. */
function isLines([first, second]: readonly string[]): boolean {
  return second !== undefined && !('problem' in parsed(first));
}

async function* readLines(lines: AsyncIterable<string>): AsyncGenerator<Found> {
  let number = 0;
  for await (const line of lines) {
    number += 1;
    if (line.trim() === '') continue;
    const found = parsed(line);
    if (!('problem' in found)) yield found;
    // Files of old Macintoshes have nothing but carriage returns.
    else if (line.trim().includes('\r'))
      yield* line
        .split('\r')
        .filter((part) => part.trim() !== '')
        .map(parsed);
    else yield { ...found, place: `line ${number}` };
  }
}

function* readDocument(text: string, columns: readonly string[]): Generator<Found> {
  const whole = parsed(text);
  if ('problem' in whole) yield* readBroken(text, whole.problem);
  else if (Array.isArray(whole.value)) for (const value of whole.value as unknown[]) yield { value };
  else if (isOfColumns(whole.value, columns)) yield { problem: 'holds columns and not records: write a record a line' };
  else for (const value of listIn(whole.value) ?? [whole.value]) yield { value };
}

/** Whether an object holds all values of each column: `{ "question": [...], "answer": [...] }`, or by number. */
function isOfColumns(value: unknown, columns: readonly string[]): boolean {
  const held = isRow(value)
    ? columns.filter((column) => Object.hasOwn(value, column)).map((column) => value[column])
    : [];
  return held.length > 1 && held.every((one) => Array.isArray(one) || (isRow(one) && Object.hasOwn(one, '0')));
}

/** The one list of records that an object holds: `{ "data": [...] }`. */
function listIn(value: unknown): unknown[] | undefined {
  const lists = isRow(value) ? Object.values(value).filter(isListOfRows) : [];
  return lists.length === 1 ? lists[0] : undefined;
}

function isListOfRows(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length > 0 && value.every(isRow);
}

/**
 * What can be read of text that is not JSON as a whole: line by line if records have a line each. Of an array whose
 * elements are all well, `problem` is what is wrong: it may be cut.
 */
function* readBroken(text: string, problem: string): Generator<Found> {
  const inArray = text.trimStart().startsWith('[');
  let isWell = true;
  for (const found of haveLinesEach(text, inArray) ? ofLines(text, inArray) : ofValues(text.trim(), inArray)) {
    isWell &&= !('problem' in found);
    yield found;
  }
  if (inArray && isWell) yield { problem };
}

function haveLinesEach(text: string, inArray: boolean): boolean {
  const filled = linesIn(text, inArray).filter((line) => line !== '');
  return filled.slice(0, LOOKED_AT).some((line) => {
    const found = parsed(line);
    return 'value' in found && isRow(found.value);
  });
}

function* ofLines(text: string, inArray: boolean): Generator<Found> {
  for (const [index, line] of linesIn(text, inArray).entries()) {
    if (line !== '') yield { place: `line ${index + 1}`, ...parsed(line) };
  }
}

/** Without the signs of the array around them. */
function linesIn(text: string, inArray: boolean): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  return inArray ? lines.map((line) => line.replace(/^\[|,$|\]$/g, '').trim()) : lines;
}

/** The elements of an array, or values that follow each other; the last may be cut. */
function* ofValues(text: string, inArray: boolean): Generator<Found> {
  let depth = 0;
  let inText = false;
  let start = inArray ? 1 : 0;
  for (let at = start; at < text.length; at += 1) {
    const sign = text[at];
    if (inText) {
      if (sign === '\\') at += 1;
      // A text ends with its line at the latest.
      else if (sign === '"' || sign === '\n') inText = false;
      continue;
    }
    if (sign === '"') inText = true;
    else if (sign === '{' || sign === '[') depth += 1;
    else if (sign === '}' || sign === ']') depth -= 1;
    const isEndOfArray = depth < 0;
    const isEnd = isEndOfArray || (depth === 0 && sign === (inArray ? ',' : '}'));
    if (!isEnd) continue;
    yield* unlessBlank(text.slice(start, inArray ? at : at + 1));
    start = at + 1;
    depth = 0;
  }
  yield* unlessBlank(text.slice(start));
}

function unlessBlank(text: string): Found[] {
  return text.trim() === '' ? [] : [parsed(text)];
}

function parsed(text: string): Found {
  try {
    return { value: parseJson(text) };
  } catch (error) {
    const { message } = error as Error;
    return { problem: error instanceof NamedTwice ? message : `is not JSON: ${message}` };
  }
}
