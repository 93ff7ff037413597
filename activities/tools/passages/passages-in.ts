import { wellFormed } from '../../../infra/database/well-formed.js';
import { parseJson } from '../../datasets/rows/parse-json.js';
import { isRow, MissingText, RowError, scalarText, textOf, valueOf, type Row } from '../../datasets/rows/rows.js';

export interface Passage {
  /** Empty if it has none. */
  title: string;
  text: string;
}

/** As it is shown, and embedded. */
export function asText({ title, text }: Passage): string {
  return title === '' ? text : `${title}\n${text}`;
}

/** The columns that are read of a file of passages, or of questions with contexts. */
export const PASSAGE_COLUMNS = ['title', 'text', 'contents', 'context', 'metadata'];

/** Where questions have the passages that belong to them: HotpotQA and its kind, and FlashRAG's form of them. */
const CONTEXTS = ['context', 'metadata.context'];
/** What a passage's sentences are called beside `title`. */
const SENTENCES = ['sentences', 'content', 'text'];
const MAX_PASSAGE_BYTES = 512 * 1024;

/**
 * The passages of a record: those of its context, or the one that it is: `contents` (title, line feed, text), or `text`
 * beside `title`.
 * @throws RowError if it has none
 */
export function passagesIn(row: Row): Passage[] {
  const passages = contextOf(row) ?? [passageOf(row)];
  const filled = passages.map(clean).filter(({ text }) => text !== '');
  if (filled.length === 0) throw new RowError('has no text');
  for (const passage of filled) requireBounds(passage);
  return filled;
}

function passageOf(row: Row): Passage {
  const contents = textOf(row, 'contents');
  const title = textOf(row, 'title');
  if (contents !== undefined) return title === undefined ? split(contents) : { title, text: without(contents, title) };
  const text = scalarText(valueOf(row, 'text')) ?? scalarText(valueOf(row, 'context'));
  if (text === undefined) throw new MissingText(['contents', 'text', 'context']);
  return { title: title ?? '', text };
}

/** Search-R1 puts the title into quotation marks. */
function split(contents: string): Passage {
  const end = contents.indexOf('\n');
  if (end < 0) return { title: '', text: contents };
  return { title: contents.slice(0, end).replace(/^"(.*)"$/, '$1'), text: contents.slice(end + 1) };
}

function without(contents: string, title: string): string {
  const { title: first, text } = split(contents);
  return first.trim() === title ? text : contents;
}

/** @throws RowError if there is a context of another form; undefined if there is none, or it is a text */
function contextOf(row: Row): Passage[] | undefined {
  for (const column of CONTEXTS) {
    const context = unquoted(valueOf(row, column));
    if (Array.isArray(context)) return context.map(ofPair);
    if (isRow(context)) return ofLists(context);
  }
  return undefined;
}

/** Tables and some Parquet files hold it as JSON. */
function unquoted(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
  try {
    return parseJson(value);
  } catch {
    return value;
  }
}

/** `[title, [sentences]]`, or `{ title, sentences }`. */
function ofPair(value: unknown): Passage {
  if (Array.isArray(value)) return ofParts(value[0], value[1]);
  if (isRow(value)) return ofParts(value['title'], sentencesOf(value));
  throw anotherForm();
}

/** `{ title: [...], sentences: [[...], ...] }`, as the Hugging Face hub has it. */
function ofLists(context: Row): Passage[] {
  const [titles, sentences] = [context['title'], sentencesOf(context)];
  if (!Array.isArray(titles) || !Array.isArray(sentences) || titles.length !== sentences.length) throw anotherForm();
  return titles.map((title, index) => ofParts(title, sentences[index]));
}

function sentencesOf(row: Row): unknown {
  return SENTENCES.map((name) => row[name]).find((value) => value !== undefined);
}

function ofParts(title: unknown, sentences: unknown): Passage {
  const parts: unknown[] = Array.isArray(sentences) ? sentences : [sentences];
  const texts = parts.map(scalarText);
  if (typeof title !== 'string' || texts.some((text) => text === undefined)) throw anotherForm();
  return { title, text: texts.filter((text) => text !== '').join(' ') };
}

function anotherForm(): RowError {
  return new RowError('has a context that is not a list of [title, [sentences]] or { title: [...], sentences: [...] }');
}

/** A title is a line. */
function clean({ title, text }: Passage): Passage {
  return { title: wellFormed(title).replaceAll(/\s+/g, ' ').trim(), text: wellFormed(text).trim() };
}

/** @throws RowError */
function requireBounds({ title, text }: Passage): void {
  const bytes = Buffer.byteLength(title) + Buffer.byteLength(text);
  if (bytes <= MAX_PASSAGE_BYTES) return;
  throw new RowError(`has a passage of ${bytes} bytes, and may have ${MAX_PASSAGE_BYTES}`);
}
