import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { SchemaElement } from 'hyparquet';
import { parquetWriteFile } from 'hyparquet-writer';
import { datasetsSection } from '../../infra/config/operator/datasets.js';
import { ItemStore, type LoadedItems } from './items/item-store.js';
import { written } from './testing/files.js';

/** Two questions whose answer is Paris, with a checksum at each page: plain, and compressed with a dictionary. */
const WITH_CHECKSUMS = {
  plain:
    'UEFSMRUAFVAVUBWugs03HBUEFQAVBhUGHDYAKA1XaGVyZSBpcyBCb2I/GA1XaGVyZSBpcyBBZGE/EREAAAACAAAABAENAAAAV2hlcmUgaXMgQWRhPw' +
    '0AAABXaGVyZSBpcyBCb2I/FQAVMBUwFZOSh5UFHBUEFQAVBhUGHDYAKAVQYXJpcxgFUGFyaXMREQAAAAIAAAAEAQUAAABQYXJpcwUAAABQYXJpcxUE' +
    'GTw1ABgGc2NoZW1hFQQAFQwlAhgIcXVlc3Rpb24lAEwcAAAAFQwlAhgGYW5zd2VyJQBMHAAAABYEGRwZLCYAHBUMGSUGABkYCHF1ZXN0aW9uFQAWBB' +
    'bEARbEASYIPDYAKA1XaGVyZSBpcyBCb2I/GA1XaGVyZSBpcyBBZGE/EREAGRwVABUAFQIAPBY0GQYZJgAEAAAAJgAcFQwZJQYAGRgGYW5zd2VyFQAW' +
    'BBaGARaGASbMATw2ACgFUGFyaXMYBVBhcmlzEREAGRwVABUAFQIAPBYUGQYZJgAEAAAAFsoCFgQmCBbKAgAoIHBhcnF1ZXQtY3BwLWFycm93IHZlcn' +
    'Npb24gMjYuMC4xGSwcAAAcAAAAFgEAAFBBUjE=',
  compressed:
    'UEFSMRUEFUQVOBX4ocbHDzwVBBUAEgAAIkQNAAAAV2hlcmUgaXMgQWRhPw0uEQAMQm9iPxUGFQoVChXAufv/CUwVBBUAFQQVEBUEFQASHDYAKA1XaG' +
    'VyZSBpcyBCb2I/GA1XaGVyZSBpcyBBZGE/EREAAAAEAQEDAhUEFRIVFhXll4GzDzwVAhUAEgAACSAFAAAAUGFyaXMVBhUKFQoV6Zn7lAJMFQQVABUE' +
    'FRAVBBUAEhw2ACgFUGFyaXMYBVBhcmlzEREAAAAEAQEEABUEGTw1ABgGc2NoZW1hFQQAFQwlAhgIcXVlc3Rpb24lAEwcAAAAFQwlAhgGYW5zd2VyJQ' +
    'BMHAAAABYEGRwZLCYAHBUMGTUABhAZGAhxdWVzdGlvbhUCFgQW9gEW6gEmaCYIHDYAKA1XaGVyZSBpcyBCb2I/GA1XaGVyZSBpcyBBZGE/EREAGSwV' +
    'BBUAFQIAFQAVEBUCADwWNBkGGSYABAAAACYAHBUMGTUABhAZGAZhbnN3ZXIVAhYEFqQBFqgBJrACJvIBHDYAKAVQYXJpcxgFUGFyaXMREQAZLBUEFQ' +
    'AVAgAVABUQFQIAPBYUGQYZJgAEAAAAFpoDFgQmCBaSAwAoIHBhcnF1ZXQtY3BwLWFycm93IHZlcnNpb24gMjYuMC4xGSwcAAAcAAAAKwEAAFBBUjE=',
};

const decimal = (scale: number): Partial<SchemaElement> => ({
  converted_type: 'DECIMAL',
  logical_type: { type: 'DECIMAL', precision: 60, scale },
  precision: 60,
  scale,
});
const time = (unit: 'MILLIS' | 'MICROS'): Partial<SchemaElement> => ({
  logical_type: { type: 'TIME', isAdjustedToUTC: true, unit },
});

describe('answers that files do not hold as texts', () => {
  const directory = mkdtempSync(join(tmpdir(), 'exact-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  let files = 0;

  const newPath = (name: string) => join(directory, `${(files += 1)}-${name}`);

  function load(path: string, registration: object = {}): Promise<LoadedItems> {
    const own = { columns: { question: 'question', answer: 'answer' }, answers: 'text', ...registration };
    return new ItemStore(datasetsSection.parse({ d: { ...own, path } })).load('d');
  }

  function goldsOf({ training }: LoadedItems): string[] {
    return training.flatMap(({ truth }) => {
      if (truth.kind !== 'text') throw new Error(`a truth of kind ${truth.kind}`);
      return truth.answers;
    });
  }

  /** The golds of a Parquet file whose column of answers has this element and these stored values. */
  async function goldsOfParquet(element: Partial<SchemaElement>, values: unknown[], list = false): Promise<string[]> {
    const path = newPath('p.parquet');
    const leaf = { repetition_type: 'OPTIONAL', ...element } as SchemaElement;
    const answer: SchemaElement[] = list
      ? [
          { name: 'answer', repetition_type: 'OPTIONAL', converted_type: 'LIST', num_children: 1 },
          { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
          { ...leaf, name: 'element' },
        ]
      : [{ ...leaf, name: 'answer' }];
    parquetWriteFile({
      filename: path,
      schema: [
        { name: 'root', num_children: 2 },
        { name: 'question', repetition_type: 'OPTIONAL', type: 'BYTE_ARRAY', converted_type: 'UTF8' },
        ...answer,
      ],
      columnData: [
        { name: 'question', data: values.map((_, n) => `Question ${n}?`) },
        { name: 'answer', data: list ? values.map((value) => [value]) : values },
      ],
    });
    return goldsOf(await load(path));
  }

  it.each<[string, Partial<SchemaElement>, unknown[], string[]]>([
    [
      'a decimal in 8 bytes',
      { type: 'INT64', ...decimal(2) },
      [9999n, 57n, -1n, 0n, 100n, 150n, 123456789012345678n],
      ['99.99', '0.57', '-0.01', '0', '1', '1.5', '1234567890123456.78'],
    ],
    ['a decimal in 4 bytes', { type: 'INT32', ...decimal(1) }, [15n, -125n], ['1.5', '-12.5']],
    [
      'a decimal in 16 bytes',
      { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, ...decimal(2) },
      [123456789012345678n, -5n],
      ['1234567890123456.78', '-0.05'],
    ],
    ['a decimal in any bytes', { type: 'BYTE_ARRAY', ...decimal(2) }, [9999n, -9999n], ['99.99', '-99.99']],
    ['a decimal without places', { type: 'INT64', ...decimal(0) }, [-7n, 420n], ['-7', '420']],
    ['a float of 32 bits', { type: 'FLOAT' }, [0.1, 33.3, 16777216, -0.3], ['0.1', '33.3', '16777216', '-0.3']],
    [
      'a float of 16 bits',
      { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 2, logical_type: { type: 'FLOAT16' } },
      [0.1, 2048, 65504, -0.3],
      ['0.1', '2048', '65504', '-0.3'],
    ],
    ['a time', { type: 'INT64', ...time('MICROS') }, [11045000000n, 250000n], ['03:04:05', '00:00:00.25']],
    ['a time in 4 bytes', { type: 'INT32', ...time('MILLIS') }, [86399000], ['23:59:59']],
  ])('%s of Parquet is read as it is meant, in lists too', async (_, element, values, golds) => {
    expect(await goldsOfParquet(element, values)).toEqual(golds);
    expect(await goldsOfParquet(element, values, true)).toEqual(golds);
  });

  it.each([
    ['plain', WITH_CHECKSUMS.plain, ['\0Where is Bob', '\0Paris']],
    ['compressed', WITH_CHECKSUMS.compressed, ['Bob', '\0Paris']],
  ])('a page with another checksum is refused: %s', async (_, base64, texts) => {
    const bytes = Buffer.from(base64, 'base64');
    expect(goldsOf(await load(written(newPath('c.parquet'), bytes)))).toEqual(['Paris', 'Paris']);
    for (const text of texts) {
      const damaged = Buffer.from(bytes);
      damaged[bytes.indexOf(text) + text.length - 1] += 1;
      const path = written(newPath('c.parquet'), damaged);
      await expect(load(path)).rejects.toThrow(/records 1 to 2 cannot be read: a page of \w+ is damaged/);
    }
  });

  describe('numbers of JSON', () => {
    it.each([
      ['9007199254740993.5', '9007199254740993.5'],
      ['1.0000000000000000000001', '1.0000000000000000000001'],
      ['-0.12345678901234567890123', '-0.12345678901234567890123'],
      ['12345678.123456789012', '12345678.123456789012'],
      ['1e400', '1e400'],
      ['1.5E-400', '1.5E-400'],
      ['0.1', '0.1'],
      ['1.50', '1.5'],
      ['0.10000000000000001', '0.1'],
      ['0.3000000000000000', '0.3'],
      ['0.000000000000000000', '0'],
      ['1e100', '1e+100'],
      ['-1.7976931348623157e+308', '-1.7976931348623157e+308'],
    ])('%s is %s, alone and in an array', async (number, gold) => {
      const line = `{"question": "Is 0.12345678901234567890123 here?", "answer": ${number}}`;
      for (const content of [line, `[${line}]`]) {
        const loaded = await load(written(newPath('n.json'), content));
        expect([loaded.training[0].question, ...goldsOf(loaded)]).toEqual(['Is 0.12345678901234567890123 here?', gold]);
      }
    });
  });

  it('an answer with entities of HTML is right as a reader sees it too, but no mark alone', async () => {
    const answers = ['AT&amp;T', 'caf&eacute;', 'na&#239;ve', '&#x41;da', '&amp;', 'R&D; x', 'a &nosuch; b'];
    const lines = answers.map((answer, n) => JSON.stringify({ question: `Question ${n}?`, answer })).join('\n');
    const { training } = await load(written(newPath('h.jsonl'), lines));
    expect(training.map(({ truth }) => truth.kind === 'text' && truth.answers)).toEqual([
      ['AT&amp;T', 'AT&T'],
      ['caf&eacute;', 'café'],
      ['na&#239;ve', 'naïve'],
      ['&#x41;da', 'Ada'],
      ['&amp;'],
      ['R&D; x'],
      ['a &nosuch; b'],
    ]);
  });

  describe('what is there twice', () => {
    const records = [
      '{"question":"Q1?","answer":"1","answer":"2"}',
      '{"question":"Q2: \\"answer\\": \\"3\\"?","answer":"3","answer":"3"}',
      '{"question":"Q3?","answer":{"text":"4","text":9007199254740993.5}}',
      '{"question":"Q4?","answer":"5","__proto__":{"answer":"6"},"\\u0000":"7"}',
    ];

    it.each([
      ['lines.jsonl', records.join('\n')],
      ['array.json', `[${records.join(',')}]`],
    ])('leaves out a record that names two values with one name: %s', async (name, content) => {
      const loaded = await load(written(newPath(name), content));
      expect(goldsOf(loaded)).toEqual(['3', '5']);
      expect(loaded.unreadable).toEqual([
        expect.stringMatching(/: has "answer" twice, with different values\.$/),
        expect.stringMatching(/: has "text" twice, with different values\.$/),
      ]);
    });

    it('leaves out a row of a table with two columns of one name and different cells', async () => {
      const table = 'question,answer,x,x,answer\nQ1?,1,a,b,2\nQ2?,3,a,b,3\n';
      const loaded = await load(written(newPath('t.csv'), table));
      expect(goldsOf(loaded)).toEqual(['3']);
      expect(loaded.unreadable).toEqual([
        expect.stringMatching(/record 1: has two columns answer, with different cells/),
      ]);
    });

    it('refuses a Parquet file with two columns of one name', async () => {
      const path = newPath('t.parquet');
      const columnData = ['question', 'answer', 'answer'].map((name, n) => ({ name, data: [`${n}`] }));
      parquetWriteFile({ filename: path, columnData });
      await expect(load(path)).rejects.toThrow(/has two columns answer/);
    });
  });
});
