import type { DatasetRegistration } from '../../../infra/config/operator/datasets.js';
import { sha256Hex } from '../../../infra/artifacts/sha256.js';
import { isWellFormed } from '../../../infra/database/well-formed.js';
import { game24 } from '../formats/game24.js';
import { FORMATS } from '../formats/index.js';
import { ownColumns } from '../formats/own-columns.js';
import { verl } from '../formats/verl.js';
import type { Format } from '../formats/format.js';
import { pauses } from '../../pauses.js';
import { readRows, type ReadPlace } from '../rows/read-rows.js';
import { inColumn, MissingText, RowError, type Row } from '../rows/rows.js';
import { readableToo } from './html-entities.js';
import { identify } from './identify.js';
import { decideChoices } from './choice-readings.js';
import type { Item, ParsedItem, ReadItem } from './item.js';

/** A dataset that is read from files. */
export type FileRegistration = Exclude<DatasetRegistration, { kind: 'made' | 'mix' }>;

export interface ReadItems {
  items: Item[];
  /** Records that say the same as another. */
  repeated: number;
  /** Records that are no question of the dataset as it is used here: GAIA's with an attachment, for one. */
  leftOut: number;
  /** Records of a training set that could not be read, with the reason. A benchmark must have none. */
  unreadable: string[];
  /** What is strange about the files. */
  notes: string[];
}

/** A payload of Temporal holds 2 MB, and a question is in many that hold other things too. */
const MAX_QUESTION_BYTES = 512 * 1024;
/** Names of columns that a message shows, and how much of each: without a header they are the first record. */
const SHOWN_COLUMNS = 12;
const SHOWN_LETTERS = 30;

/** A record that cannot be read, as it is found. */
export type TellMistake = (place: ReadPlace, error: RowError) => void;

/**
 * Reads every question of a registered file. A benchmark is read whole or not at all: a record that was skipped would
 * vanish from the denominator.
 * @param tell is told of every record that cannot be read
 * @throws RowError
 */
export async function readItems(
  name: string,
  registration: FileRegistration,
  tell: TellMistake = () => undefined,
): Promise<ReadItems> {
  const format = formatOf(name, registration);
  const found: PlacedItem[] = [];
  const unreadable: string[] = [];
  const notes = new Set<string>();
  let leftOut = 0;
  const pause = pauses();
  const refuse: TellMistake = (at, error) => {
    tell(at, error);
    const message = `${at.place}: ${error.message}.`;
    if (registration.kind === 'benchmark') throw new RowError(message, { cause: error });
    unreadable.push(message);
  };
  const refuseTruth: TellMistake = (at, error) => {
    error.column ??= format.parts?.truth;
    refuse(at, error);
  };
  for await (const read of readRows(registration.path, { ...format, note: (text) => notes.add(text) })) {
    try {
      if ('problem' in read) throw new RowError(read.problem);
      const note = format.note?.(read.columns);
      if (note !== undefined) notes.add(note);
      const item = itemOf(format, read.row, read.columns);
      if (item) found.push({ item, at: read });
      else leftOut += 1;
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      refuse(read, error);
    }
    await pause();
  }
  const parsed = decided(found, refuseTruth, (text) => notes.add(`${registration.path}: ${text}`));
  const { items, repeated, sharedIds } = await identify(name, parsed);
  if (sharedIds > 0)
    notes.add(`${sharedIds} records share their id with others: a part of their hash tells them apart`);
  if (items.length > 0) return { items, repeated, leftOut, unreadable, notes: [...notes] };
  throw new RowError([`${registration.path}: no question in it.`, ...unreadable.slice(0, 1), ...notes].join(' '));
}

interface PlacedItem {
  item: ReadItem;
  at: ReadPlace;
}

/** The questions, each with its truth where all of them together say it. */
function decided(found: readonly PlacedItem[], refuse: TellMistake, note: (text: string) => void): ParsedItem[] {
  const { truths, notes } = decideChoices(
    found.flatMap(({ item: { truth } }) => (truth.kind === 'choice-readings' ? [truth] : [])),
  );
  notes.forEach(note);
  let next = 0;
  return found.flatMap(({ item, at }) => {
    const { truth: read, ...rest } = item;
    const truth = read.kind === 'choice-readings' ? truths[next++] : read;
    if (!(truth instanceof RowError)) return [{ ...rest, truth: readableToo(truth) }];
    refuse(at, truth);
    return [];
  });
}

/** @throws RowError if the record is no question that can be asked */
function itemOf(format: Format, row: Row, columns: readonly string[]): ReadItem | undefined {
  const item = readItem(format, row, columns);
  if (!item) return undefined;
  for (const part of ['id', 'question', 'family', 'truth'] as const) {
    inColumn(format.parts?.[part], () => requireStorable(item[part]));
  }
  const bytes = Buffer.byteLength(item.question);
  if (bytes > MAX_QUESTION_BYTES) {
    const message = `has a question of ${bytes} bytes, and may have ${MAX_QUESTION_BYTES}`;
    inColumn(format.parts?.question, () => {
      throw new RowError(message);
    });
  }
  return item;
}

function requireStorable(part: unknown): void {
  if (stringsIn(part).every(isWellFormed)) return;
  throw new RowError('holds a NUL or half of a character, which no row can keep');
}

function readItem(format: Format, row: Row, columns: readonly string[]): ReadItem | undefined {
  try {
    return format.read(row);
  } catch (error) {
    if (!(error instanceof RowError)) throw error;
    const isThere =
      !(error instanceof MissingText) || error.columns.some((column) => columns.includes(outermost(column)));
    if (isThere) throw error;
    const { message, column } = error;
    throw Object.assign(new RowError(`${message}; its columns are ${inWords(columns)}`, { cause: error }), { column });
  }
}

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

function outermost(column: string): string {
  return column.split('.')[0];
}

function inWords(columns: readonly string[]): string {
  const names = columns.slice(0, SHOWN_COLUMNS).map((name) => (name === '' ? '""' : name.slice(0, SHOWN_LETTERS)));
  return [...names, ...(columns.length > SHOWN_COLUMNS ? [`${columns.length - SHOWN_COLUMNS} more`] : [])].join(', ');
}

/** The `count` items of smallest hash are held out: a choice that does not depend on the order of the file. */
export async function splitItems(
  items: readonly Item[],
  count: number,
): Promise<{ training: Item[]; heldOut: Item[] }> {
  if (count === 0) return { training: [...items], heldOut: [] };
  if (count >= items.length) return { training: [], heldOut: [...items] };
  const pause = pauses();
  const byHash = new Map<string, Item>();
  for (const item of items) {
    byHash.set(sha256Hex(`held out ${item.id}`), item);
    await pause();
  }
  const chosen = new Set(
    [...byHash.keys()]
      .sort()
      .slice(0, count)
      .map((hash) => byHash.get(hash)),
  );
  return {
    training: items.filter((item) => !chosen.has(item)),
    heldOut: items.filter((item) => chosen.has(item)),
  };
}

function formatOf(name: string, registration: FileRegistration): Format {
  switch (registration.kind) {
    case 'benchmark':
      return registration.benchmark === 'game24' ? game24(registration.ranks) : FORMATS[registration.benchmark];
    case 'training':
      return registration.training === 'verl' ? verl(registration.answers) : FORMATS[registration.training];
    case 'own':
      return ownColumns(name, registration);
  }
}
