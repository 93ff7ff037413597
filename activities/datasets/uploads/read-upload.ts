import { open } from 'node:fs/promises';
import type {
  PreviewRow,
  UploadCheck,
  UploadLayout,
  UploadMistake,
  UploadReport,
} from '../../../contracts/uploaded-dataset.js';
import { cutText } from '../../text/cut-text.js';
import { wordsOfTruth } from '../../scoring/score-by-rules.js';
import { countBy } from '../check-datasets.js';
import { findingsOf } from '../findings.js';
import type { Item } from '../items/item.js';
import { complete } from '../items/item-store.js';
import { readItems, type ReadItems } from '../items/load-items.js';
import { lengthsOf } from '../lengths.js';
import { RowError } from '../rows/rows.js';
import { uploadRegistration } from './upload-registration.js';

/** Mistakes, and questions of the preview, that are kept. */
const SHOWN = 100;
/** Families that are counted by name. */
const FAMILIES = 100;
/** Of a text in the preview. */
const PREVIEW_BYTES = 2048;
/** Of a message or a name of a column. */
const MESSAGE_BYTES = 500;

/** How files begin that are none of the three formats, whatever they are called. */
const OTHER_FILES: readonly [begins: string, is: string][] = [
  ['PK\x03\x04', 'a ZIP archive or an Excel workbook. Unpack it, or save the sheet as CSV'],
  ['\x1f\x8b', 'packed by gzip. Unpack it first'],
  ['\x28\xb5\x2f\xfd', 'packed by zstd. Unpack it first'],
  ['BZh', 'packed by bzip2. Unpack it first'],
  ['\xfd7zXZ', 'packed by xz. Unpack it first'],
  ['%PDF-', 'a PDF'],
  ['\xd0\xcf\x11\xe0', 'an old Excel workbook. Save the sheet as CSV'],
  ['ARROW1', 'an Arrow file. Write it as Parquet'],
];
const WEB_PAGE = /^(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head|\?xml)/i;
const PARQUET = 'PAR1';

/** A file that is uploaded. */
export interface UploadedFile {
  path: string;
  /** Of the dataset: questions without an id are called by it. */
  name: string;
  layout: UploadLayout;
}

/** Reads an uploaded file whole. What is wrong with it is in the answer; only what is wrong with us is thrown. */
export async function readUpload(file: UploadedFile): Promise<UploadCheck> {
  const mistakes = new Mistakes(file);
  try {
    await refuseOtherFiles(file.path);
    const read = await readItems(file.name, uploadRegistration(file.path, file.layout), (at, error) =>
      mistakes.add(error, at.number, at.at),
    );
    const report = await reportOf(file, read);
    return { ...report, mistakes: mistakes.all };
  } catch (error) {
    if (!(error instanceof RowError)) throw error;
    // A file whose records are all mistakes has been told of in these.
    if (mistakes.all.count === 0) mistakes.add(error);
    return { report: null, preview: [], mistakes: mistakes.alike };
  }
}

class Mistakes {
  readonly all: UploadCheck['mistakes'] = { count: 0, first: [] };
  /** The first of each kind, by its words, and how many there are of it. */
  private readonly kinds = new Map<string, { first: UploadMistake; count: number }>();

  constructor(private readonly file: UploadedFile) {}

  add({ message, column }: RowError, row: number | null = null, place: string | null = null): void {
    this.all.count += 1;
    const kind = `${column} ${message}`;
    const known = this.kinds.get(kind);
    if (known) known.count += 1;
    if (this.all.first.length >= SHOWN && (known || this.kinds.size >= SHOWN)) return;
    const words = cutText(inOwnWords(this.file, message), MESSAGE_BYTES);
    const at = column === undefined ? null : storable(cutText(column, MESSAGE_BYTES));
    const mistake: UploadMistake = { row, place, column: at, message: words };
    if (this.all.first.length < SHOWN) this.all.first.push(mistake);
    if (!known) this.kinds.set(kind, { first: mistake, count: 1 });
  }

  /** Each kind once: if no record can be read, most often one name of a column is wrong. */
  get alike(): UploadCheck['mistakes'] {
    const kinds = [...this.kinds.values()];
    const repeated = kinds.reduce((sum, { count }) => sum + count - 1, 0);
    return {
      count: this.all.count - repeated,
      first: kinds.map(({ first, count }) =>
        count === 1 ? first : { ...first, message: `${first.message}. It is so in ${count} records` },
      ),
    };
  }
}

/** Where a file lies is nobody's business who uploaded it. */
function inOwnWords({ path }: UploadedFile, text: string): string {
  return storable(text.replaceAll(`${path}: `, '').replaceAll(path, 'the file'));
}

/** Without a NUL or half of a character, which no row can keep. */
function storable(text: string): string {
  return text.replace(/[\0\ud800-\udfff]/gu, '\uFFFD');
}

/** @throws RowError */
async function refuseOtherFiles(path: string): Promise<void> {
  const file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0).finally(() => file.close());
  if (bytesRead === 0) throw new RowError('The file is empty.');
  const head = buffer.toString('latin1', 0, bytesRead);
  const other = OTHER_FILES.find(([begins]) => head.startsWith(begins));
  if (other) throw new RowError(`The file is ${other[1]}.`);
  if (WEB_PAGE.test(head)) throw new RowError('The file is a web page, perhaps one that asks for a sign-in.');
  if (head.startsWith(PARQUET) && !path.endsWith('.parquet')) {
    throw new RowError('The file is Parquet: upload it as application/vnd.apache.parquet.');
  }
}

async function reportOf(file: UploadedFile, read: ReadItems): Promise<Pick<UploadCheck, 'report' | 'preview'>> {
  const { training, heldOut, overlapping, sha256 } = await complete(file.name, read, file.layout.held_out);
  const items = [...training, ...heldOut];
  const report: UploadReport = {
    training: training.length,
    held_out: heldOut.length,
    families: mostOf(countBy(items.map(({ family }) => family))),
    characters: lengthsOf(items.map(({ question }) => [...question].length)),
    notes: read.notes.map((note) => cutText(inOwnWords(file, note), MESSAGE_BYTES)),
    findings: findingsOf(items),
    repeated: read.repeated,
    held_out_twice: overlapping.length,
    questions_sha256: sha256,
  };
  const isHeldOut = new Set(heldOut.map(({ id }) => id));
  return { report, preview: read.items.slice(0, SHOWN).map((item) => previewOf(item, isHeldOut.has(item.id))) };
}

function mostOf(counts: Record<string, number>): Record<string, number> {
  const largest = Object.entries(counts).toSorted(([, a], [, b]) => b - a);
  return Object.fromEntries(largest.slice(0, FAMILIES).map(([family, count]) => [shown(family), count]));
}

function previewOf({ question, family, truth }: Item, isHeldOut: boolean): PreviewRow {
  return {
    question: shown(question),
    answers: wordsOfTruth(truth).map(shown),
    family: shown(family),
    choices: truth.kind === 'choice' ? truth.choices.map(shown) : null,
    split: isHeldOut ? 'held_out' : 'training',
  };
}

function shown(text: string): string {
  return cutText(text, PREVIEW_BYTES);
}
