import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { datasetsSection } from '../../infra/config/operator/datasets.js';
import { decideChoices } from './items/choice-readings.js';
import { ItemStore, type LoadedItems } from './items/item-store.js';
import { jsonLines, table, written } from './testing/files.js';

const OWN = { columns: { question: 'question', answer: 'answer', choices: 'choices' }, answers: 'choice' };
const COLOURS = ['red', 'green', 'blue', 'grey'];
const NUMBERS = ['10', '3', '2', '1'];
const repeated = <T>(values: readonly T[], times: number): T[] => Array.from({ length: times }, () => values).flat();

describe(decideChoices, () => {
  const directory = mkdtempSync(join(tmpdir(), 'choices-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  let files = 0;

  async function loaded(name: string, content: string, registration: object): Promise<LoadedItems> {
    const path = written(join(directory, `${(files += 1)}-${name}`), content);
    return new ItemStore(datasetsSection.parse({ d: { ...registration, path } })).load('d');
  }

  /** The right choices of a file of these answers, what was left out, and what was said. */
  async function read(records: readonly (readonly [unknown, readonly string[]])[]): Promise<unknown> {
    const rows = records.map(([answer, choices], n) => ({ question: `Question ${n}?`, answer, choices }));
    const { training, unreadable, notes } = await loaded('c.jsonl', jsonLines(rows), OWN);
    return { right: training.map(rightOf), unreadable, notes };
  }

  function rightOf({ truth }: LoadedItems['training'][number]): string {
    if (truth.kind !== 'choice') throw new Error('no choice');
    return truth.choices[truth.letter.charCodeAt(0) - 'A'.charCodeAt(0)];
  }

  const among = (choices: readonly string[], ...answers: unknown[]) =>
    answers.map((answer): [unknown, readonly string[]] => [answer, choices]);
  const says = (...patterns: RegExp[]) => patterns.map((pattern) => expect.stringMatching(pattern));

  it('takes the text of one choice for that choice, though it could be an index', async () => {
    expect(await read(among(NUMBERS, '1', '2', '10'))).toEqual({
      right: ['1', '2', '10'],
      unreadable: [],
      notes: says(/: 1 answers are the text of one choice and the index of another: .* read as the text/),
    });
    expect(await read([...among(COLOURS, 'red'), ...among(NUMBERS, '3')])).toMatchObject({ right: ['red', '3'] });
  });

  it('takes it for an index if the other answers are', async () => {
    expect(await read([...among(COLOURS, 0, 3), ...among(NUMBERS, 1)])).toEqual({
      right: ['red', 'grey', '3'],
      unreadable: [],
      notes: says(/: 1 answers are the text of one choice and the index of another: .* read as the index/),
    });
  });

  it('leaves it out if the other answers are both', async () => {
    expect(await read([...among(COLOURS, 0, 'grey'), ...among(NUMBERS, 1)])).toEqual({
      right: ['red', 'grey'],
      unreadable: says(/record 3: has an answer that is the text of one choice and the letter or index of another/),
      notes: [],
    });
  });

  it('decides between letters and texts in the same way', async () => {
    const letters = ['B', 'A', 'D', 'C'];
    expect(await read(among(letters, 'A', 'D'))).toMatchObject({ right: ['A', 'D'], notes: says(/the letter of ano/) });
    expect(await read([...among(COLOURS, 'b'), ...among(letters, 'A')])).toMatchObject({ right: ['green', 'B'] });
    const mixed = await read([...among(COLOURS, 'b', 'red'), ...among(letters, 'A')]);
    expect(mixed).toMatchObject({ right: ['green', 'red'], unreadable: [expect.anything()] });
  });

  it('counts indices from 1 if one is behind the last choice and none is 0', async () => {
    expect(await read(among(COLOURS, 1, '2', 4))).toEqual({
      right: ['red', 'green', 'grey'],
      unreadable: [],
      notes: says(/: answers are read as indices from 1: none is 0, and 1 of 3 would be behind the last choice/),
    });
  });

  it('counts from 0 and leaves out what is behind the last choice if another is 0', async () => {
    expect(await read(among(COLOURS, 0, 3, 4))).toEqual({
      right: ['red', 'grey'],
      unreadable: says(/record 3: has an answer that is none of its choices, which are counted from 0/),
      notes: [],
    });
  });

  it('says that 0 never occurs if that is no accident', async () => {
    expect(await read(among(COLOURS, ...repeated([1, 2, 3], 10)))).toMatchObject({ notes: [] });
    expect(await read(among(COLOURS, ...repeated([1, 2, 3], 11)))).toMatchObject({
      right: repeated(['green', 'blue', 'grey'], 11),
      notes: says(/read as indices from 0, though none of 33 is 0/),
    });
  });

  it('takes no position of a column for the label of a choice', async () => {
    const columns = { question: 1, answer: 6, choices: [2, 3, 4, 5] };
    const { training } = await loaded('bare.csv', table([['Which?', ...COLOURS, 3]]), { columns, answers: 'choice' });
    expect(training.map(rightOf)).toEqual(['grey']);
  });

  it('takes an index for the choice that another column names', async () => {
    const rows = [1, 3].map((answer_idx) => ({
      question: `Question ${answer_idx}?`,
      choices: COLOURS,
      answer_idx,
      answer: COLOURS[answer_idx - 1],
    }));
    const { heldOut } = await loaded('g.jsonl', jsonLines(rows), { benchmark: 'gpqa' });
    expect(heldOut.map(rightOf)).toEqual(['red', 'blue']);
  });
});
