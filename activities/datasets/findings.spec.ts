import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { datasetsSection } from '../../infra/config/operator/datasets.js';
import type { DatasetCheck } from '../../contracts/dataset-check.js';
import { checkDatasets } from './check-datasets.js';
import { jsonLines, tableOf, windows1252, written, type Records } from './testing/files.js';

type Report = Extract<DatasetCheck, { sha256: string }>;

const OWN = { columns: { question: 'question', answer: 'answer' }, answers: 'text' };
const CHOICES = { columns: { ...OWN.columns, choices: 'choices' }, answers: 'choice' };
const asked = (...answers: unknown[]): Records => answers.map((answer, n) => ({ question: `Question ${n}?`, answer }));

describe(checkDatasets, () => {
  const directory = mkdtempSync(join(tmpdir(), 'check-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  let files = 0;

  /** The report of a file of these records that is registered so. */
  async function check(
    content: Records | string | Buffer,
    registration: object = OWN,
    name = 'd.jsonl',
  ): Promise<Report> {
    const path = join(directory, `${(files += 1)}-${name}`);
    written(path, typeof content === 'string' || Buffer.isBuffer(content) ? content : jsonLines(content));
    const [report] = await checkDatasets(datasetsSection.parse({ d: { ...registration, path } }), []);
    expect(report.problem).toBeUndefined();
    return report as Report;
  }

  const kinds = ({ findings }: Report) => findings.map(({ kind, count }) => [kind, count]);

  it('finds nothing in what is in order', async () => {
    const report = await check(asked('Ada Lovelace', '12 May 1820', 'C', '1999', ['Paris', 'Lutetia'], 'yes'));
    expect(report).toMatchObject({ training: 6, notes: [], findings: [], licence: { files: [] } });
  });

  it.each<[string, unknown[], object, [string, number][]]>([
    [
      'dates of a spreadsheet beside others',
      ['Ada', '29-May-32', '6-Nov-05', 'April 30, 1789'],
      OWN,
      [['two-shapes', 2]],
    ],
    ['nothing but dates', ['29-May-32', '6-Nov-05'], OWN, []],
    ['errors of a spreadsheet', ['Ada', '#REF!', '#VALUE!', '1.23E+15'], OWN, [['spreadsheet-error', 3]]],
    [
      'damaged characters',
      ['Ada', 'Toghon Tem??r', 'ZÃ¼rich', 'it\uFFFDs', 'Why? No!'],
      OWN,
      [['damaged-characters', 3]],
    ],
    ['joined answers', ['Ada', 'Paris; Lutetia', 'a|b', ['x; y', 'z']], OWN, [['joined-answers', 2]]],
    [
      'entities of HTML',
      ['Ada', 'AT&amp;T', 'a &#60; b', 'R&D; x'],
      OWN,
      [
        ['html-entities', 2],
        ['joined-answers', 1],
      ],
    ],
    ['a sentence as an answer', ['Ada', 'word '.repeat(60)], OWN, [['long-answers', 1]]],
  ])('%s', async (_, answers, registration, expected) => {
    expect(kinds(await check(asked(...answers), registration))).toEqual(expected);
  });

  it('finds ranges and dates among numbers, which no rule computes', async () => {
    const answers = asked('17', '5-6', '2020-01-02', '555-1234', '10-12%', '-3', '1/2', '12 apples');
    expect(kinds(await check(answers, { ...OWN, answers: 'number' }))).toEqual([['no-number', 4]]);
  });

  it('tells the two shapes of a column without an answer', async () => {
    const { findings } = await check(asked('Ada', '29-May-32', '6-Nov-05'));
    expect(findings).toEqual([
      {
        kind: 'two-shapes',
        says:
          '2 of 3 answers are dates as a spreadsheet writes them (99-Aaa-99, 9-Aaa-99), the others are not: it may have ' +
          'changed what they were',
        count: 2,
        first: [expect.stringMatching(/^d:/), expect.stringMatching(/^d:/)],
      },
    ]);
  });

  it('finds answers that no answer can match', async () => {
    const unsolvable = await check('Puzzles\n1 1 1 1\n1 1 4 6\n', { benchmark: 'game24' }, '24.csv');
    expect(kinds(unsolvable)).toEqual([['unwinnable', 1]]);
    expect(unsolvable.findings[0].first).toEqual(['d:1-1-1-1']);
    const numbers = await check(asked('17', 'about seventeen or eighteen'), { ...OWN, answers: 'number' });
    // The same words would win: no value can be made of them.
    expect(kinds(numbers)).toEqual([['no-number', 1]]);
  });

  it('finds answers that are equal by the rules though they are written differently', async () => {
    expect(kinds(await check(asked('0.5', '1/2', '12'), { ...OWN, answers: 'number' }))).toEqual([]);
    const report = await check(asked('U.S.A.', 'U. S. A.', 'u.s.a.', 'Ada'));
    expect(kinds(report)).toEqual([['equal-answers', 1]]);
    expect(report.findings[0].first[0]).toMatch(/^d:\w+ ~ d:\w+$/);
  });

  it('finds equal choices, and says of how many the right one is among them', async () => {
    const rows = [
      { question: 'Which?', choices: ['w', 'x', 'x', 'z'], answer: 'A' },
      { question: 'And which?', choices: ['w', 'x', ' x', 'z'], answer: 'C' },
      { question: 'Sign?', choices: ['+1', '-1', 'X', 'x'], answer: 'A' },
    ];
    const { findings } = await check(rows, CHOICES);
    expect(findings.find(({ kind }) => kind === 'equal-choices')).toMatchObject({
      count: 2,
      says: 'two choices are the same, the right one among them in 1 of 2: no rule can decide these',
    });
  });

  it('finds a question that has two answers', async () => {
    const rows = [
      { question: 'Who built it?', answer: 'Ada' },
      { question: 'who  built it?', answer: 'Bob' },
      { question: 'Who saw it?', answer: 'Ada' },
    ];
    expect(kinds(await check(rows))).toEqual([['contradicting-answers', 1]]);
  });

  it('tells lengths, families, notes on files, what was left out, and the licence', async () => {
    const folder = join(directory, 'fetched');
    mkdirSync(folder);
    const rows = [1, 2, 3, 4].map((n) => ({
      question: 'né'.repeat(5 * n),
      answer: 'Besançon',
      level: n % 2 ? 'a' : 'b',
    }));
    written(join(folder, 'rows.csv'), windows1252(`${tableOf(rows)}only one\r\n`));
    written(join(folder, 'LICENSE.txt'), 'x');
    written(join(folder, 'fetched.json'), JSON.stringify({ licence: 'cc-by-4.0', files: [] }));
    const registration = { ...OWN, columns: { ...OWN.columns, family: 'level' }, path: folder };
    const [report] = await checkDatasets(datasetsSection.parse({ d: registration }), []);
    expect(report).toMatchObject({
      families: { a: 2, b: 2 },
      characters: { median: 30, p95: 40, longest: 40 },
      licence: { stated: 'cc-by-4.0', files: ['LICENSE.txt'] },
      notes: [expect.stringMatching(/54 bytes are not UTF-8/)],
      unreadable: { count: 1, first: [expect.stringMatching(/record 5: has 1 cells, and not 3/)] },
    });
  });

  describe('in tokens', () => {
    const rows = ['a', 'bb', 'ccc', 'dddd', 'e'].map((question) => ({ question, answer: 'x' }));
    const path = join(directory, 'tokens.jsonl');
    written(path, jsonLines(rows));
    const registrations = datasetsSection.parse({
      atlas: {},
      d: { ...OWN, path, held_out: 1 },
      gone: { ...OWN, path: join(directory, 'gone.jsonl') },
      again: { ...OWN, path },
    });
    const counts = { model: 'm', context: 40, prompt: 17, plan: 20 };
    const count = jest.fn(async (questions: readonly string[]) => ({
      ...counts,
      questions: questions.map((question) => question.length),
    }));

    it('lengths of all datasets come from one count, beside what the context leaves for a question', async () => {
      const checks = await checkDatasets(registrations, [], count);
      expect(count).toHaveBeenCalledTimes(1);
      const [made, d, gone, again] = checks;
      expect([made, gone].map((check) => 'tokens' in check)).toEqual([false, false]);
      const tokens = { ...counts, room: 3, question: { median: 2, p95: 4, longest: 4 } };
      const long = (await checkDatasets(registrations, ['again'], count))[0] as Report;
      expect(d).toMatchObject({ tokens: { ...tokens, tooLong: { count: 1, first: [expect.stringMatching(/^d:/)] } } });
      expect(again).toEqual(long);
      expect(long.tokens).toEqual({ ...tokens, tooLong: { count: 1, first: [expect.stringMatching(/^again:/)] } });
    });

    it('nothing is counted where nothing was read', async () => {
      count.mockClear();
      await checkDatasets(registrations, ['atlas', 'gone'], count);
      expect(count).not.toHaveBeenCalled();
    });

    it('no question fits where the prompt alone does not', async () => {
      const small = async (questions: readonly string[]) => ({ ...(await count(questions)), context: 30 });
      const [report] = (await checkDatasets(registrations, ['d'], small)) as Report[];
      expect(report.tokens).toMatchObject({ room: 0, tooLong: { count: 5 } });
    });
  });
});
