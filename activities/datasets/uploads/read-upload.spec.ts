import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { UploadLayout } from '../../../contracts/uploaded-dataset.js';
import { jsonLines, utf16, writeParquet } from '../testing/files.js';
import { readUpload } from './read-upload.js';

const LAYOUT: UploadLayout = { columns: { question: 'question', answer: ['answer'] }, answers: 'text', held_out: 0 };
const CSV = 'question,answer\nWho wrote it?,Verne\nWhere was it?,Zürich\n';

describe('the check of an uploaded file', () => {
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'agentflow-upload-'));
  });
  afterAll(async () => rm(directory, { recursive: true }));

  const check = async (format: string, content: string | Uint8Array, layout: Partial<UploadLayout> = {}) => {
    const path = join(directory, `${'a'.repeat(64)}.${format}`);
    await writeFile(path, content);
    const read = await readUpload({ path, name: 'mine', layout: { ...LAYOUT, ...layout } });
    expect(JSON.stringify(read)).not.toContain(directory);
    return read;
  };
  const jsonl = (...rows: object[]) => jsonLines(rows);

  it.each<[string, Uint8Array]>([
    ['UTF-8', Buffer.from(CSV)],
    ['UTF-8 with a byte-order mark, as Excel writes it', Buffer.from(`\ufeff${CSV}`)],
    ['UTF-16 with a byte-order mark', utf16(CSV)],
    ['Windows-1252', Buffer.from(CSV, 'latin1')],
    ['semicolons and carriage returns', Buffer.from(CSV.replaceAll(',', ';').replaceAll('\n', '\r\n'))],
  ])('reads CSV in %s', async (_, bytes) => {
    const { report, mistakes, preview } = await check('csv', bytes);
    expect(mistakes).toEqual({ count: 0, first: [] });
    expect(report).toMatchObject({ training: 2, held_out: 0, families: { mine: 2 }, repeated: 0 });
    expect(preview).toEqual([
      { question: 'Who wrote it?', answers: ['Verne'], family: 'mine', choices: null, split: 'training' },
      { question: 'Where was it?', answers: ['Zürich'], family: 'mine', choices: null, split: 'training' },
    ]);
  });

  it('names row and column of each mistake, the first hundred and how many there are', async () => {
    const good = { question: 'Who?', answer: 'Ada' };
    const rows = [good, { question: 'When?' }, { answer: '1' }, { question: 'a\0b', answer: 'x' }];
    const cut = `${jsonl(...rows)}{"question":"Where?","ans`;
    const { mistakes } = await check('jsonl', cut);
    expect(mistakes).toEqual({
      count: 4,
      first: [
        { row: 2, place: 'record 2', column: 'answer', message: expect.stringMatching(/^has no answer/) },
        { row: 3, place: 'record 3', column: 'question', message: expect.stringMatching(/^has no question/) },
        { row: 4, place: 'record 4', column: 'question', message: expect.stringContaining('NUL') },
        { row: 5, place: 'line 5', column: null, message: expect.stringMatching(/^is not JSON/) },
      ],
    });
    const many = await check('jsonl', jsonl(good, ...Array.from({ length: 250 }, (_, i) => ({ question: `Q${i}` }))));
    expect([many.mistakes.count, many.mistakes.first.length]).toEqual([250, 100]);
    expect(many.report?.training).toBe(1);
  });

  it.each<[string, string, string, Partial<UploadLayout['columns']>]>([
    ['question of CSV', 'csv', 'question', {}],
    ['answer', 'jsonl', 'Answr', { question: 'Question', answer: ['Answr'] }],
    ['id', 'jsonl', 'ID', { question: 'Question', answer: ['Answer'], id: 'ID' }],
  ])(
    'takes one wrong column, the %s, for one mistake, and names the columns of the file',
    async (_, format, column, columns) => {
      const rows = Array.from({ length: 250 }, (_each, i) => ({ Question: `Q${i}?`, Answer: `${i}` }));
      const text =
        format === 'csv'
          ? `Question,Answer\n${rows.map(({ Question, Answer }) => `${Question},${Answer}\n`).join('')}`
          : jsonl(...rows);
      const { report, mistakes } = await check(format, text, { columns: { ...LAYOUT.columns, ...columns } });
      expect(report).toBeNull();
      const message = `has no ${column}; its columns are Question, Answer. It is so in 250 records`;
      expect(mistakes).toMatchObject({ count: 1, first: [{ row: 1, column, message }] });
    },
  );

  it('tells of each kind of mistake once if no record is good, and counts those that are not shown', async () => {
    const some = [{ answer: 'x' }, { question: 'Who?' }, { answer: 'y' }];
    expect((await check('jsonl', jsonl(...some))).mistakes).toMatchObject({
      count: 2,
      first: [
        { row: 1, column: 'question', message: expect.stringMatching(/It is so in 2 records$/) },
        { row: 2, column: 'answer', message: 'has no answer; its columns are question' },
      ],
    });
    const many = Array.from({ length: 250 }, (_, i) => ({ question: 'Who?', [`column${i}`]: 'x' }));
    const { mistakes } = await check('jsonl', jsonl(...many));
    expect([mistakes.count, mistakes.first.length]).toEqual([250, 100]);
  });

  it('names the column of a choice that cannot be', async () => {
    const rows = ['A', 'Z'].map((answer) => ({ question: `Which, ${answer}?`, answer, choices: ['red', 'green'] }));
    const columns = { question: 'question', answer: ['answer'], choices: ['choices'] };
    const { mistakes, preview } = await check('jsonl', jsonl(...rows), { answers: 'choice', columns });
    expect(mistakes.first).toEqual([expect.objectContaining({ row: 2, column: 'answer' })]);
    expect(preview).toMatchObject([{ answers: ['A. red'], choices: ['red', 'green'] }]);
  });

  it.each<[string, string, string | Uint8Array, RegExp]>([
    ['nothing', 'jsonl', '', /empty/],
    ['a header and nothing else', 'csv', 'question,answer\n', /no question in it/],
    ['a workbook called CSV', 'csv', Buffer.from('PK\x03\x04rest', 'latin1'), /Excel workbook/],
    ['what is packed', 'jsonl', gzipSync(CSV), /gzip/],
    ['a web page called CSV', 'csv', '\n<!DOCTYPE html><html><body>Sign in</body></html>', /web page/],
    ['Parquet called JSONL', 'jsonl', 'PAR1xxxxPAR1', /vnd\.apache\.parquet/],
    ['CSV called Parquet', 'parquet', CSV, /is not Parquet/],
    ['bytes of no alphabet', 'csv', Buffer.from([0x81, 0x8d, 0x90, 0x0a, 0x81]), /Convert it to UTF-8/],
  ])('refuses %s in words', async (_, format, content, says) => {
    const { report, mistakes, preview } = await check(format, content);
    expect([report, preview]).toEqual([null, []]);
    expect(mistakes.first).toEqual([{ row: null, place: null, column: null, message: expect.stringMatching(says) }]);
  });

  it('refuses a line that is too large for a question, and reads the others', async () => {
    const huge = { question: 'x'.repeat(600_000), answer: 'y' };
    const { report, mistakes } = await check('jsonl', jsonl(huge, { question: 'Who?', answer: 'Ada' }));
    expect(mistakes.first).toEqual([expect.objectContaining({ row: 1, column: 'question' })]);
    expect(report?.training).toBe(1);
  });

  it('reads fields of nested columns of Parquet, and refuses a file that was cut', async () => {
    const path = join(directory, 'nested.parquet');
    writeParquet(path, [
      { extra: { question: 'Who?', answers: ['Ada', 'Lovelace'] } },
      { extra: { question: 'When?', answers: ['1843'] } },
    ]);
    const bytes = await readFile(path);
    const columns = { question: 'extra.question', answer: ['extra.answers'] };
    const { report, preview } = await check('parquet', bytes, { columns });
    expect(report?.training).toBe(2);
    expect(preview.map(({ answers }) => answers)).toEqual([['Ada', 'Lovelace'], ['1843']]);
    const { mistakes } = await check('parquet', bytes.subarray(0, bytes.length - 40), { columns });
    expect(mistakes.first).toEqual([expect.objectContaining({ message: expect.stringMatching(/is not Parquet/) })]);
  });

  it('holds out as many as are asked for, and all if there are no more', async () => {
    const rows = Array.from({ length: 10 }, (_, i) => ({ question: `Question ${i}?`, answer: `${i}` }));
    const some = await check('jsonl', jsonl(...rows), { held_out: 3 });
    expect(some.report).toMatchObject({ training: 7, held_out: 3 });
    expect(some.preview.filter(({ split }) => split === 'held_out')).toHaveLength(3);
    const all = await check('jsonl', jsonl(...rows), { held_out: 99 });
    expect(all).toMatchObject({ report: { training: 0, held_out: 10 }, mistakes: { count: 0 } });
  });

  it('bounds the preview and the families', async () => {
    const rows = Array.from({ length: 150 }, (_, i) => ({
      question: `${i} ${'ß'.repeat(5_000)}`,
      answer: 'x',
      f: `f${i}`,
    }));
    const columns = { question: 'question', answer: ['answer'], family: 'f' };
    const { report, preview } = await check('jsonl', jsonl(...rows), { columns });
    expect([Object.keys(report!.families).length, preview.length]).toEqual([100, 100]);
    expect(Buffer.byteLength(preview[0].question)).toBeLessThanOrEqual(2_048);
  });

  it('gives the same questions the same digest, whatever the format', async () => {
    const rows = [
      { question: 'Who wrote it?', answer: 'Verne' },
      { question: 'Where was it?', answer: 'Zürich' },
    ];
    const [table, lines] = [await check('csv', CSV), await check('jsonl', jsonl(...rows))];
    expect(table.report?.questions_sha256).toBe(lines.report?.questions_sha256);
  });
});
