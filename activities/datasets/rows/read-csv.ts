import { extname } from 'node:path';
import { finished } from 'node:stream';
import { CsvError, parse as parseCsv } from 'csv-parse';
import { decodeText, linesOf } from './decode-text.js';
import { type Found, RowError, type Wanted } from './rows.js';

/** What a spreadsheet writes into a line before the table: `sep=;`. */
const SEPARATOR = /^"?sep=([,;\t|])"?\r?$/i;
/** A file that has so many broken records is no table. */
const MOST_BROKEN = 100;

/**
 * The records of a table: with commas between its cells, else semicolons or tabs, whichever its first line has more of.
 * A record with a stray quote or of another length is a problem in its place; the others are read.
 * @throws RowError if it is no table
 */
export async function* readCsv(path: string, { columns: wanted, byPosition, note }: Wanted): AsyncGenerator<Found> {
  const first = await lineAfter(path, 0);
  const separator = SEPARATOR.exec(first.text)?.[1];
  const delimiter = separator ?? (extname(path) === '.tsv' ? '\t' : delimiterOf(first.text));
  let columns: string[] | undefined;
  let line = separator === undefined ? 1 : first.number + 1;
  for (let broken = 0; ; broken += 1) {
    let last = line - 1;
    try {
      for await (const { record, end } of recordsFrom(path, line, delimiter, broken === 0 ? note : unheard)) {
        last = end;
        const isHeader = columns === undefined && !byPosition;
        columns ??= record.map((name, index) => (byPosition ? String(index + 1) : nameOf(name, wanted)));
        if (!isHeader && record.some((cell) => cell.trim() !== '')) yield foundIn(record, columns, wanted);
      }
      return;
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      const message = `is not CSV: ${error.message}`;
      if (columns === undefined || broken === MOST_BROKEN) throw new RowError(`${path}: ${message}`, { cause: error });
      // A quote that is not closed takes all that follows: reading goes on with the next line.
      const { number } = await lineAfter(path, last);
      yield { place: `line ${number}`, problem: message };
      line = number + 1;
    }
  }
}

function unheard(): void {
  // What was said of a file once is not said again, and an error is thrown where it is met.
}

interface CsvRecord {
  record: string[];
  /** The line in which it ends, from 1. */
  end: number;
}

/** @throws CsvError */
async function* recordsFrom(
  path: string,
  line: number,
  delimiter: string,
  note: (text: string) => void,
): AsyncGenerator<CsvRecord> {
  const found: CsvRecord[] = [];
  const parser = parseCsv({
    delimiter,
    skip_empty_lines: true,
    relax_column_count: true,
    on_record: (record: string[], { lines }) => {
      found.push({ record, end: line - 1 + lines });
      return null;
    },
  });
  // A parser that fails drops what it has read before: records are taken from it one piece of text at a time.
  parser.on('error', unheard).resume();
  const taken = (act: (done: (error?: Error | null) => void) => void) =>
    new Promise<Error | null | undefined>((resolve) => act(resolve));
  for await (const piece of textFrom(decodeText(path, note), line)) {
    const error = await taken((done) => parser.write(piece, done));
    yield* found.splice(0);
    if (error) throw error;
  }
  const error = await taken((done) => finished(parser.end(), done));
  yield* found.splice(0);
  if (error) throw error;
}

/** Without the lines before this one. */
async function* textFrom(pieces: AsyncIterable<string>, line: number): AsyncGenerator<string> {
  let left = line - 1;
  for await (const piece of pieces) {
    let start = 0;
    for (; left > 0; left -= 1) {
      const end = piece.indexOf('\n', start);
      if (end < 0) break;
      start = end + 1;
    }
    if (left === 0) yield piece.slice(start);
  }
}

/** The first line that is not blank after so many. */
async function lineAfter(path: string, count: number): Promise<{ number: number; text: string }> {
  let number = count;
  let last = '';
  for await (const text of linesOf(textFrom(decodeText(path, unheard), count + 1))) {
    number += 1;
    last = text;
    if (text.trim() !== '') break;
  }
  return { number, text: last };
}

function delimiterOf(line: string): string {
  const bare = line.replace(/"[^"]*"/g, '');
  if (bare.includes(',')) return ',';
  const [semicolons, tabs] = [bare.split(';').length, bare.split('\t').length];
  if (semicolons === 1 && tabs === 1) return ',';
  return semicolons >= tabs ? ';' : '\t';
}

function nameOf(cell: string, wanted: readonly string[]): string {
  return wanted.includes(cell) ? cell : cell.trim();
}

function foundIn(record: readonly string[], columns: readonly string[], wanted: readonly string[]): Found {
  const surplus = record.slice(columns.length).some((cell) => cell.trim() !== '');
  if (surplus || record.length < columns.length) {
    return { problem: `has ${record.length} cells, and not ${columns.length}` };
  }
  const twice = columns.find((column, index) => {
    const first = columns.indexOf(column);
    return first < index && wanted.includes(column) && record[first].trim() !== record[index].trim();
  });
  if (twice !== undefined) return { problem: `has two columns ${twice}, with different cells` };
  return { value: Object.fromEntries(columns.map((column, index) => [column, record[index]])), columns };
}
