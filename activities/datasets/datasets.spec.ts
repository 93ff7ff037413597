import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parquetWriteFile } from 'hyparquet-writer';
import { datasetsSection } from '../../infra/config/operator/datasets.js';
import { FILE_BENCHMARKS, type FileBenchmark } from '../../infra/datasets/sources.js';
import { scoreByRules, wordsOfTruth } from '../scoring/score-by-rules.js';
import { checkDatasets } from './check-datasets.js';
import { withinBytes } from './dataset.activities.js';
import { createTruthSource } from './ground-truth.js';
import { ItemStore } from './items/item-store.js';
import { Datasets } from './registry.js';

const TAGS = 'When ready, output the final answer enclosed in <answer> and </answer> tags. Do not go on.';
const INPUT = { offset: 0, count: 100 };

/** Records made here in the shapes that are published, one list per layout, each with two questions. */
const LAYOUTS: Record<FileBenchmark, Record<string, unknown[]>> = {
  bamboogle: {
    'flashrag.jsonl': [1, 2].map((n) => ({
      id: `test_${n}`,
      question: `Who built bridge ${n}?`,
      golden_answers: [`Ada ${n}`],
    })),
    'original.json': [1, 2].map((n) => ({
      idx: n,
      question: `Who built bridge ${n}?${TAGS}`,
      answer: [`Ada ${n}`],
      pid: `${n}`,
      query: 'q',
      image: null,
    })),
  },
  '2wiki': {
    'published.json': [1, 2].map((n) => ({
      _id: `h${n}`,
      type: 'comparison',
      question: `Older, A${n} or B?`,
      answer: `A${n}`,
      context: [],
    })),
    'original.json': [0, 1].map((n) => ({ query: `Older, A${n} or B?`, image: null, answer: `A${n}`, pid: n })),
  },
  hotpotqa: {
    'hub.parquet': [1, 2].map((n) => ({
      id: `5a${n}`,
      question: `Where is ${n}?`,
      answer: `Town ${n}`,
      type: 'bridge',
    })),
  },
  musique: {
    'published.jsonl': [
      {
        id: '2hop__1_2',
        question: 'Spouse of X?',
        answer: 'Ann',
        answer_aliases: ['Anne'],
        answerable: true,
        paragraphs: [],
      },
      { id: '3hop1__3', question: 'Mother of Y?', answer: 'Eve', answer_aliases: [], answerable: true },
      { id: '2hop__9', question: 'Cannot be answered?', answer: 'no', answerable: false },
    ],
  },
  gaia: {
    'metadata.jsonl': [
      { task_id: 't1', Question: 'How many?', Level: 1, 'Final answer': '17', file_name: '' },
      { task_id: 't2', Question: 'Which two?', Level: '2', 'Final answer': 'b, e', file_name: '' },
      { task_id: 't3', Question: 'In the sheet?', Level: '2', 'Final answer': '3', file_name: 'a.xlsx' },
      { task_id: 't4', Question: 'Hidden?', Level: '3', 'Final answer': '?', file_name: '' },
    ],
  },
  aime24: {
    'hub.parquet': [1, 2].map((n) => ({
      ID: `2024-I-${n}`,
      Problem: `Find ${n}+200.`,
      Solution: '…',
      Answer: 200 + n,
    })),
    'original.json': [1, 2].map((n) => ({ idx: n, question: `Find ${n}+200.${TAGS}`, answer: 200 + n, pid: `${n}` })),
  },
  amc23: { 'hub.jsonl': [1, 2].map((n) => ({ id: n, question: `What is ${n}/2?`, answer: n / 2, url: 'u' })) },
  gpqa: {
    'published.csv': [1, 2].map((n) => ({
      'Record ID': `rec${n}`,
      Question: `Which, "a, b"\nor ${n}?`,
      'Correct Answer': `right ${n}`,
      'Incorrect Answer 1': 'w1',
      'Incorrect Answer 2': 'w2',
      'Incorrect Answer 3': 'w3',
      'High-level domain': 'Physics',
    })),
    'original.json': [0, 1].map((n) => ({
      pid: `${n}`,
      question: `Which ${n}?`,
      choices: ['A. p', 'B. q', 'C. r', 'D. s'],
      answer_idx: n,
      answer: ['A. p', 'B. q'][n],
    })),
  },
  medqa: {
    'published.jsonl': [1, 2].map((n) => ({
      question: `Patient ${n}?`,
      options: { A: 'w', B: 'x', C: 'y', D: 'z' },
      answer: 'y',
      answer_idx: 'C',
      meta_info: 'step1',
    })),
    'original.json': [1, 2].map((n) => ({
      idx: n,
      pid: '0',
      question: `Patient ${n}?\nA. w\nB. x\n\nA. w\nB. x`,
      options: ['A. w', 'B. x'],
      answer: 'x',
    })),
  },
};

/** What runs under way were begun with: a file that could be read gives the same questions and answers for ever. */
const DIGESTS: Record<string, string> = {
  'bamboogle flashrag.jsonl': '5704f760dbe89e1a',
  'bamboogle original.json': 'd1c53438f403b1a9',
  '2wiki published.json': '79ac918a2a0b7333',
  '2wiki original.json': '3e88bb7e7ddea7ac',
  'hotpotqa hub.parquet': '1477058b03ee1488',
  'musique published.jsonl': 'dbfb288b13c0527c',
  'gaia metadata.jsonl': '73d58f28f48c76a4',
  'aime24 hub.parquet': '86cb429fc1d8f1dd',
  'aime24 original.json': '8b52dfdb0b360c79',
  'amc23 hub.jsonl': '85eaff331e80a3d7',
  'gpqa published.csv': '85193807ef635edb',
  'gpqa original.json': '6810bf5bfda95088',
  'medqa published.jsonl': 'c976526df47a201f',
  'medqa original.json': 'fa2264bf76a48245',
};

describe('datasets of files', () => {
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'datasets-'));
  });
  afterAll(async () => rm(directory, { recursive: true }));

  async function write(name: string, rows: readonly unknown[]): Promise<string> {
    const path = join(directory, name);
    const records = rows as Record<string, unknown>[];
    if (name.endsWith('.parquet')) {
      const columns = Object.keys(records[0]);
      parquetWriteFile({
        filename: path,
        columnData: columns.map((column) => ({ name: column, data: records.map((row) => row[column]) as string[] })),
      });
      return path;
    }
    await writeFile(path, textOf(name, records));
    return path;
  }

  function textOf(name: string, rows: readonly Record<string, unknown>[]): string {
    if (name.endsWith('.json')) return JSON.stringify(rows);
    if (name.endsWith('.jsonl')) return rows.map((row) => `${JSON.stringify(row)}\n`).join('\n');
    const cell = (value: unknown) => `"${String(value).replaceAll('"', '""')}"`;
    return [
      '\ufeff' + Object.keys(rows[0]).map(cell).join(','),
      ...rows.map((row) => Object.values(row).map(cell).join(',')),
    ].join('\r\n');
  }

  function open(registrations: unknown) {
    const store = new ItemStore(datasetsSection.parse(registrations));
    return { store, datasets: new Datasets(store), truthOf: createTruthSource(store) };
  }

  const cases = FILE_BENCHMARKS.flatMap((name) =>
    Object.entries(LAYOUTS[name]).map(([file, rows]) => [name, file, rows] as const),
  );

  it.each(cases)(
    '%s in the layout of %s: questions, stable ids, and truths that score their own answer',
    async (name, file, rows) => {
      const path = await write(`${name}-${file}`, rows);
      const { datasets, truthOf } = open({ [name]: { benchmark: name, path } });
      const queries = await datasets.named(name).evaluation({ dataset: { name, seed: 7 }, ...INPUT });
      expect(queries).toHaveLength(2);
      for (const query of queries) {
        expect(query.id.startsWith(`${name}:`)).toBe(true);
        expect(query.question).not.toContain('<answer>');
        expect(query.answerForm).toMatch(/^Answer with/);
        const { truth, heldOut } = await truthOf(query);
        expect(heldOut).toBe(true);
        expect(scoreByRules(wordsOfTruth(truth)[0], truth).ruling).toBe('right');
      }
      const reversed = await write(`${name}-reversed-${file}`, [...rows].reverse());
      const again = open({ [name]: { benchmark: name, path: reversed } });
      const other = await again.datasets.named(name).evaluation({ dataset: { name, seed: 7 }, ...INPUT });
      expect(other.map(({ id }) => id).sort()).toEqual(queries.map(({ id }) => id).sort());
    },
  );

  it.each(cases)('%s in the layout of %s has the identity that it always had', async (name, file, rows) => {
    const path = await write(`${name}-${file}`, rows);
    const { store } = open({ d: { benchmark: name, path } });
    expect((await store.load('d')).sha256.slice(0, 16)).toBe(DIGESTS[`${name} ${file}`]);
  });

  it('reads what a layout says: aliases, hops, levels, choices without their repetition', async () => {
    const musique = open({
      musique: { benchmark: 'musique', path: await write('m.jsonl', LAYOUTS.musique['published.jsonl']) },
    });
    const { heldOut } = await musique.store.load('musique');
    expect(heldOut.map(({ family }) => family).sort()).toEqual(['2hop', '3hop']);
    expect(heldOut.find(({ family }) => family === '2hop')?.truth).toEqual({ kind: 'text', answers: ['Ann', 'Anne'] });
    const medqa = open({ medqa: { benchmark: 'medqa', path: await write('q.json', LAYOUTS.medqa['original.json']) } });
    const [item] = (await medqa.store.load('medqa')).heldOut;
    expect(item.question).toMatch(/^Patient \d\?\nA\. w\nB\. x$/);
    expect(item.truth).toEqual({ kind: 'choice', letter: 'B', choices: ['w', 'x'] });
  });

  it('keeps different records of one id apart, and drops repetitions of a record', async () => {
    const rows = LAYOUTS.medqa['original.json'];
    const { store, truthOf } = open({ medqa: { benchmark: 'medqa', path: await write('d.json', [...rows, rows[0]]) } });
    const { heldOut, repeated } = await store.load('medqa');
    expect([heldOut.length, repeated, new Set(heldOut.map(({ id }) => id)).size]).toEqual([2, 1, 2]);
    for (const { id, truth } of heldOut) {
      const query = { id, dataset: { name: 'medqa', seed: 7 }, family: '', question: '' };
      expect((await truthOf(query)).truth).toEqual(truth);
    }
  });

  it('reads a benchmark whole or not at all, and names the record', async () => {
    const path = await write('bad.jsonl', [
      { id: 1, question: 'Q?', answer: 'a' },
      { id: 2, question: 'no answer' },
    ]);
    const { datasets, truthOf } = open({ hotpotqa: { benchmark: 'hotpotqa', path } });
    const dataset = { name: 'hotpotqa', seed: 7 };
    await expect(datasets.named('hotpotqa').evaluation({ dataset, ...INPUT })).rejects.toThrow(
      expect.objectContaining({
        type: 'BadConfiguration',
        message: expect.stringContaining('bad.jsonl, record 2: has no answer'),
      }),
    );
    const query = { id: 'hotpotqa:3', dataset: { name: 'other', seed: 7 }, family: '', question: '' };
    await expect(truthOf(query)).rejects.toThrow(expect.objectContaining({ type: 'NotFound' }));
    expect(() => datasets.named('toString')).toThrow(expect.objectContaining({ type: 'BadConfiguration' }));
  });

  it.each([
    ['broken.json', '[{'],
    ['object.json', '{"a": 1}'],
    ['broken.jsonl', '{"a": 1}\n{'],
    ['broken.csv', '"a,b\n1'],
    ['broken.parquet', 'PAR1'],
    ['none.txt', ''],
    ['empty.jsonl', ''],
  ])('says that %s cannot be read', async (name, text) => {
    const path = join(directory, name);
    await writeFile(path, text);
    const { store } = open({ gaia: { benchmark: 'gaia', path } });
    await expect(store.load('gaia')).rejects.toThrow(
      expect.objectContaining({ message: expect.stringContaining(name) }),
    );
  });

  describe('of training', () => {
    const nq = Array.from({ length: 40 }, (_, n) => ({
      id: `train_${n}`,
      question: `who wrote book number ${n}?`,
      golden_answers: [`author ${n}`, `writer ${n}`],
    }));
    const maths = Array.from({ length: 20 }, (_, n) => ({
      question: `Compute $${n}/2$.`,
      final_answer: `\\frac{${n}}{2}`,
      difficulty: 5.5,
      r1_solution_1: 'long',
    }));
    const setup = async (options: object = {}) =>
      open({
        nq: { training: 'nq', path: await write('nq.jsonl', nq), held_out: 5, ...options },
        deepmath: { training: 'deepmath', path: await write('math.parquet', maths) },
        paper: { mix: { nq: 3, deepmath: 1 } },
        bamboogle: {
          benchmark: 'bamboogle',
          path: await write('b.jsonl', [
            { id: 'x', question: 'Who WROTE book number 7, and when was the author born?', golden_answers: ['1900'] },
            { id: 'y', question: 'Who wrote book number 9?', golden_answers: ['a'] },
          ]),
        },
      });

    it('draws as a pure function of seed, step and index, without repetition inside a step, never a held-out one', async () => {
      const { datasets, store } = await setup();
      const dataset = { name: 'nq', seed: 7 };
      const draw = async (first: number, count: number, step = 1, runSeed = 0) =>
        (await datasets.named('nq').draw({ runSeed, step, first, count, dataset })).map(({ id }) => id);
      const all = await draw(0, 35);
      expect(new Set(all).size).toBe(35);
      expect(await draw(3, 4)).toEqual(all.slice(3, 7));
      expect(await draw(0, 35, 2)).not.toEqual(all);
      expect(await draw(0, 35, 1, 1)).not.toEqual(all);
      const { heldOut } = await store.load('nq');
      expect(heldOut).toHaveLength(5);
      expect(heldOut.filter(({ id }) => all.includes(id))).toEqual([]);
      const asked = await datasets.named('nq').evaluation({ dataset, ...INPUT });
      expect(asked.map(({ id }) => id).sort()).toEqual(heldOut.map(({ id }) => id).sort());
    });

    it('mixes by weight, with truths under the part’s name', async () => {
      const { datasets, truthOf } = await setup();
      const queries = await datasets
        .named('paper')
        .draw({ runSeed: 0, step: 1, first: 0, count: 16, dataset: { name: 'paper', seed: 7 } });
      const counts = queries.filter((query) => query.dataset.name === 'nq').length;
      expect([11, 12, 13]).toContain(counts);
      for (const query of queries) expect((await truthOf(query)).heldOut).toBe(false);
      expect(
        await datasets
          .named('paper')
          .draw({ runSeed: 0, step: 1, first: 5, count: 3, dataset: { name: 'paper', seed: 7 } }),
      ).toEqual(queries.slice(5, 8));
    });

    it('leaves out what shares words with a benchmark, and reports it', async () => {
      const options = { exclude_overlap_with: ['bamboogle'], overlap_words: 5 };
      const { store } = await setup(options);
      const { training, heldOut, overlapping } = await store.load('nq');
      expect(training.length + heldOut.length).toBe(38);
      expect(overlapping.map(({ item, question, words }) => [item, question, words])).toEqual([
        ['nq:train_7', 'bamboogle:x', 'who wrote book number 7'],
        ['nq:train_9', 'bamboogle:y', 'who wrote book number 9'],
      ]);
      const [check] = await checkDatasets(store.registrations, ['nq']);
      expect(check).toMatchObject({ name: 'nq', heldOut: 5, overlapping: { count: 2, byBenchmark: { bamboogle: 2 } } });
      expect(JSON.stringify(check)).not.toContain('author');
    });

    it('checks everything that is registered, a mix by its parts, and what is not there', async () => {
      const { registrations } = (await setup()).store;
      const named = async (names: string[]) => (await checkDatasets(registrations, names)).map(({ name }) => name);
      expect(await named([])).toEqual(['nq', 'deepmath', 'bamboogle']);
      expect(await named(['paper', 'nq'])).toEqual(['nq', 'deepmath']);
      const others = await checkDatasets({ atlas: { kind: 'made' } }, ['atlas', 'toString']);
      expect(others).toEqual([
        { name: 'atlas', madeUp: true },
        { name: 'toString', problem: 'It is not registered. Registered datasets: atlas.' },
      ]);
    });

    it('never draws a question that another record holds out, and reports it', async () => {
      const rows = Array.from({ length: 20 }, (_, n) => ({
        id: `q${n}`,
        question: n % 2 ? `Who wrote  book ${n - 1}` : `who wrote book ${n}?`,
        golden_answers: ['a'],
      }));
      const { store } = open({ nq: { training: 'nq', path: await write('twice.jsonl', rows), held_out: 8 } });
      const { training, heldOut, overlapping } = await store.load('nq');
      const books = (items: { question: string }[]) => items.map(({ question }) => /\d+/.exec(question)?.[0]);
      expect(heldOut).toHaveLength(8);
      expect(training.length + overlapping.length).toBe(12);
      expect(overlapping.length).toBeGreaterThan(0);
      expect(books(training).filter((book) => books(heldOut).includes(book))).toEqual([]);
      expect(new Set(overlapping.map(({ benchmark }) => benchmark))).toEqual(new Set(['nq']));
    });

    it('has a fingerprint that changes with the files and not with the process', async () => {
      const dataset = { name: 'paper', seed: 7 };
      const print = async (options?: object) => (await setup(options)).datasets.named('paper').fingerprint(dataset);
      expect(await print()).toBe(await print());
      expect(await print({ held_out: 6 })).not.toBe(await print());
    });

    it('reads own columns, and refuses to draw from a benchmark', async () => {
      const path = await write('own.csv', [
        { Q: 'Two?', A: '2', K: 'easy' },
        { Q: 'Three?', A: '3', K: 'hard' },
        { Q: 'None?', A: '', K: 'hard' },
      ]);
      const own = { columns: { question: 'Q', answer: 'A', family: 'K' }, answers: 'number', path };
      const { datasets, store } = open({ own, game24: {} });
      const { training, unreadable } = await store.load('own');
      expect(training.map(({ family, truth }) => [family, truth])).toEqual([
        ['easy', { kind: 'number', value: '2' }],
        ['hard', { kind: 'number', value: '3' }],
      ]);
      expect(unreadable).toEqual([expect.stringContaining('record 3: has no A')]);
      const draw = { runSeed: 0, step: 1, first: 0, count: 1, dataset: { name: 'game24', seed: 7 } };
      await expect(datasets.named('game24').draw(draw)).rejects.toThrow(/for evaluation only/);
      const games = await datasets.named('game24').evaluation({ dataset: draw.dataset, offset: 1300, count: 100 });
      expect(games).toHaveLength(62);
    });
  });
});

describe('createDatasetActivities', () => {
  it('I6: answers with as many questions as fit the bytes that were asked for, one at least', () => {
    const queries = ['a', 'é'.repeat(500), 'b'].map((question, n) => ({
      id: `${n}`,
      dataset: { name: 'd', seed: 7 },
      family: 'f',
      question,
    }));
    const sizes = queries.map((query) => Buffer.byteLength(JSON.stringify(query)) + 1);
    expect(withinBytes(queries)).toEqual(queries);
    expect(withinBytes(queries, 1)).toEqual(queries.slice(0, 1));
    expect(withinBytes(queries, sizes[0] + sizes[1] - 1)).toEqual(queries.slice(0, 1));
    expect(withinBytes(queries, sizes[0] + sizes[1])).toEqual(queries.slice(0, 2));
    expect(withinBytes([], 1)).toEqual([]);
  });
});

describe('the section datasets of the operator’s file', () => {
  it('takes a list of computed datasets, or registrations by name', () => {
    expect(datasetsSection.parse(['atlas', 'game24'])).toEqual({ atlas: { kind: 'made' }, game24: { kind: 'made' } });
    expect(datasetsSection.parse({ atlas: {}, amc23: { benchmark: 'amc23', path: '/d' } })).toEqual({
      atlas: { kind: 'made' },
      amc23: { kind: 'benchmark', benchmark: 'amc23', path: '/d' },
    });
  });

  it.each([
    [['hotpotqa'], /must be one of atlas, game24/],
    [{}, /at least one dataset/],
    [{ mine: {} }, /needs benchmark, training, columns or mix/],
    [{ atlas: { benchmark: 'amc23', path: '/d' } }, /takes no options/],
    [{ a: { benchmark: 'amc23', path: 'relative' } }, /absolute path/],
    [{ a: { benchmark: 'riddles', path: '/d' } }, /a.benchmark|benchmark/],
    [{ a: { mix: { nq: 1 } } }, /registered training set/],
    [{ n: { training: 'nq', path: '/d', exclude_overlap_with: ['gone'] } }, /gone must be a registered benchmark/],
    [{ c: { columns: { question: 'q', answer: 'a' }, answers: 'choice', path: '/d' } }, /needed for answers: choice/],
  ])('refuses %j', (section, message) => {
    expect(JSON.stringify(datasetsSection.safeParse(section).error?.issues)).toMatch(message);
  });
});
