import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { datasetsSection } from '../../infra/config/operator/datasets.js';
import { scoreByRules } from '../scoring/score-by-rules.js';
import type { Item } from './items/item.js';
import { ItemStore, type LoadedItems } from './items/item-store.js';
import type { Truth } from './items/truth.js';
import { jsonLines, table, tableOf, utf16, windows1252, written, writeParquet, type Records } from './testing/files.js';

const OWN = { columns: { question: 'question', answer: 'answer' }, answers: 'text' };
const TOWNS = [
  { question: 'Where is Ada?', answer: 'Zürich' },
  { question: 'Where is Bob, the “elder”?', answer: 'Łódź' },
  { question: 'Where\nis Cem?', answer: 'Paris' },
];
const PLAIN = TOWNS.map(({ question, answer }) => [question, answer]);
const text = (...answers: string[]): Truth => ({ kind: 'text', answers });

describe('datasets in the layouts in which they lie around', () => {
  const directory = mkdtempSync(join(tmpdir(), 'layouts-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  let files = 0;

  /** Loads a file of this content that is registered so. */
  async function load(name: string, content: string | Buffer | Records, registration: object): Promise<LoadedItems> {
    const path = join(directory, `${(files += 1)}-${name}`);
    if (typeof content === 'string' || Buffer.isBuffer(content)) written(path, content);
    else writeParquet(path, content);
    return new ItemStore(datasetsSection.parse({ d: { ...registration, path } })).load('d');
  }

  const items = ({ training, heldOut }: LoadedItems): Item[] => [...training, ...heldOut];
  const asked = (loaded: LoadedItems) => items(loaded).map(({ question, truth }) => [question, first(truth)]);
  const truths = (loaded: LoadedItems) => items(loaded).map(({ truth }) => truth);

  function first(truth: Truth): unknown {
    if (truth.kind === 'text') return truth.answers[0];
    return truth.kind === 'choice' ? truth.choices[truth.letter.charCodeAt(0) - 65] : JSON.stringify(truth);
  }

  describe('one content in many files', () => {
    it.each<[string, string | Buffer | Records]>([
      ['lines.jsonl', jsonLines(TOWNS)],
      ['lines.ndjson', jsonLines(TOWNS)],
      ['array.json', JSON.stringify(TOWNS)],
      ['pretty.json', JSON.stringify(TOWNS, null, 2)],
      ['lines.json', jsonLines(TOWNS)],
      ['array.jsonl', JSON.stringify(TOWNS)],
      ['pretty-array.jsonl', JSON.stringify(TOWNS, null, 2)],
      ['pretty-records.jsonl', TOWNS.map((town) => JSON.stringify(town, null, 2)).join('\n')],
      ['pretty-records.json', TOWNS.map((town) => JSON.stringify(town, null, 2)).join('\n')],
      ['line-each.json', `[\n${TOWNS.map((town) => JSON.stringify(town)).join(',\n')}\n]`],
      ['under-data.json', JSON.stringify({ version: 1, data: TOWNS })],
      ['mark.jsonl', `\uFEFF${jsonLines(TOWNS)}`],
      ['mark.json', `\uFEFF${JSON.stringify(TOWNS)}`],
      ['crlf.jsonl', jsonLines(TOWNS).replaceAll('\n', '\r\n')],
      ['macintosh.jsonl', jsonLines(TOWNS).replaceAll('\n', '\r')],
      ['between-tokens.jsonl', jsonLines(TOWNS).replaceAll('","', '",\r"')],
      ['no-last-line-end.jsonl', jsonLines(TOWNS).trimEnd()],
      ['utf16.jsonl', utf16(jsonLines(TOWNS))],
      ['utf16-big.json', utf16(JSON.stringify(TOWNS), { bigEndian: true })],
      ['utf16-unmarked.json', utf16(JSON.stringify(TOWNS), { mark: false })],
      ['utf16-unmarked-big.jsonl', utf16(jsonLines(TOWNS), { mark: false, bigEndian: true })],
      ['commas.csv', tableOf(TOWNS)],
      ['semicolons.csv', tableOf(TOWNS, ';')],
      ['tabs.csv', tableOf(TOWNS, '\t')],
      ['tabs.tsv', tableOf(TOWNS, '\t')],
      ['separator.csv', `sep=;\r\n${tableOf(TOWNS, ';')}`],
      ['mark.csv', `\uFEFF${tableOf(TOWNS)}`],
      ['utf16.csv', utf16(tableOf(TOWNS, '\t'))],
      ['more-columns.csv', tableOf(TOWNS.map((town) => ({ id: 1, '': '', ...town, ' ': '' }))) + ',,,,\r\n'],
      ['flat.parquet', TOWNS],
      ['lists.parquet', TOWNS.map(({ question, answer }) => ({ question, answer: [answer] }))],
    ])('%s', async (name, content) => {
      const loaded = await load(name, content, OWN);
      expect(asked(loaded)).toEqual(PLAIN);
      expect(loaded).toMatchObject({ unreadable: [], notes: [], leftOut: 0 });
    });

    it('a directory, without hidden files and what is beside the records', async () => {
      const path = mkdtempSync(join(directory, 'many-'));
      written(join(path, 'a.jsonl'), jsonLines(TOWNS));
      for (const name of ['.hidden.jsonl', 'dataset_info.json', 'fetched.json']) written(join(path, name), '{}');
      const loaded = await new ItemStore(datasetsSection.parse({ d: { ...OWN, path } })).load('d');
      expect(asked(loaded)).toEqual(PLAIN);
      expect(loaded).toMatchObject({ unreadable: [] });
    });

    it.each<[string, string, RegExp]>([
      ['packed.jsonl.gz', 'x', /packed\.jsonl\.gz: is packed\. Unpack it/],
      ['p.parquet', 'version https://git-lfs.github.com/spec/v1\noid', /is a pointer of Git LFS .* git lfs pull/],
      ['lists.json', '{"question":["a?","b?"],"answer":["1","2"]}', /holds columns and not records/],
      ['numbered.json', '{"question":{"0":"a?"},"answer":{"0":"1"}}', /holds columns and not records/],
    ])('%s is refused with what to do', async (name, content, message) => {
      await expect(load(name, content, OWN)).rejects.toThrow(message);
    });

    it('a path to nothing is refused in words', async () => {
      const path = join(directory, 'nothing.jsonl');
      symlinkSync(join(directory, 'nowhere'), path);
      const store = new ItemStore(datasetsSection.parse({ d: { ...OWN, path } }));
      await expect(store.load('d')).rejects.toThrow(/nothing\.jsonl: there is no such file or directory\.$/);
    });

    it('a table without a header, by the positions of its columns', async () => {
      const columns = { question: 2, answer: [3, 4] };
      const rows = TOWNS.map(({ question, answer }, n) => [n, question, answer, n === 0 ? 'Zurich' : '']);
      const loaded = await load('bare.csv', table(rows), { ...OWN, columns });
      expect(asked(loaded)).toEqual(PLAIN);
      expect(truths(loaded)[0]).toEqual(text('Zürich', 'Zurich'));
      await expect(load('bare.csv', table(rows), OWN)).rejects.toThrow(
        /record 1: has no question; its columns are 0, Where is Ada\?, Zürich, Zurich/,
      );
    });
  });

  describe('characters', () => {
    const latin = TOWNS.map(({ question, answer }) => ({ question, answer: answer === 'Łódź' ? 'Besançon' : answer }));

    it('Windows-1252 is read as what it is, and said', async () => {
      for (const content of [tableOf(latin), jsonLines(latin)]) {
        const loaded = await load(content.startsWith('{') ? 'a.jsonl' : 'a.csv', windows1252(content), OWN);
        expect(asked(loaded)).toEqual(latin.map(({ question, answer }) => [question, answer]));
        expect(loaded.notes).toEqual([expect.stringMatching(/: 4 bytes are not UTF-8, and were read as Windows-1252/)]);
      }
    });

    it('a file of both is read as both, character by character', async () => {
      const both = Buffer.concat([Buffer.from(jsonLines(TOWNS)), windows1252(jsonLines(latin))]);
      const loaded = await load('both.jsonl', both, OWN);
      expect(new Set(asked(loaded).map(([, answer]) => answer))).toEqual(
        new Set(['Zürich', 'Łódź', 'Paris', 'Besançon']),
      );
    });

    it('another encoding is refused and not guessed', async () => {
      const shiftJis = Buffer.from([0x93, 0xfa, 0x96, 0x7b, 0x8c, 0xea, 0x83, 0x65]);
      const content = Buffer.concat([Buffer.from('question,answer\r\n'), shiftJis, Buffer.from(',x\r\n')]);
      await expect(load('sjis.csv', content, OWN)).rejects.toThrow(/neither UTF-8 nor UTF-16 nor Windows-1252/);
    });

    it('a NUL or half of a character is left out, and refuses a benchmark', async () => {
      const rows = [...TOWNS, { question: 'N\0?', answer: 'a' }, { question: 'H?', answer: '\ud800' }];
      const loaded = await load('nul.jsonl', jsonLines(rows), OWN);
      expect(asked(loaded)).toEqual(PLAIN);
      expect(loaded.unreadable).toEqual(
        [4, 5].map((n) => expect.stringMatching(`record ${n}: holds a NUL or half of a`)),
      );
      await expect(load('nul.jsonl', jsonLines(rows), { benchmark: 'hotpotqa' })).rejects.toThrow(
        /record 4: holds a NUL/,
      );
    });

    it('U+2028 and U+2029 end no line', async () => {
      const rows = [{ question: 'One\u2028two\u2029three?', answer: 'a' }];
      expect(asked(await load('u.jsonl', jsonLines(rows), OWN))).toEqual([['One\u2028two\u2029three?', 'a']]);
    });

    it('any texts are the same after being written and read, in any of the files', async () => {
      const letters = fc
        .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
        .map((one) => one.replaceAll('\0', ''));
      const word = letters
        .map((one) => one.trim())
        .filter((one) => one !== '' && !/^[[{b]/.test(one) && !/\r/.test(one));
      const record = fc.record({ question: word, answer: word });
      const encodings = [
        ['r.jsonl', (rows: Records) => jsonLines(rows)],
        ['r.json', (rows: Records) => utf16(JSON.stringify(rows))],
        ['r.csv', (rows: Records) => tableOf(rows)],
      ] as const;
      await fc.assert(
        fc.asyncProperty(
          fc.array(record, { minLength: 1, maxLength: 5 }),
          fc.constantFrom(...encodings),
          async (rows, to) => {
            const distinct = [
              ...new Map(rows.map(({ question, answer }) => [`${question}\0${answer}`, [question, answer]])),
            ];
            const loaded = await load(to[0], to[1](rows), OWN);
            expect(asked(loaded)).toEqual(distinct.map(([, pair]) => pair));
          },
        ),
        { numRuns: 60 },
      );
    });
  });

  describe('one bad record', () => {
    const [a, b, c] = TOWNS.map((town) => JSON.stringify(town));
    it.each<[string, string, string[]]>([
      ['malformed.jsonl', `${a}\n{"question": "no\n${b}\n${c}\n`, ['line 2: is not JSON: ']],
      [
        'nan.jsonl',
        `${a}\n{"question": "q", "answer": NaN}\n${b}\n${c}\n`,
        ["line 2: is not JSON: Unexpected token 'N'."],
      ],
      ['an-array.jsonl', `${a}\n["q", "a"]\n${b}\n${c}\n`, ['record 2: is no object.']],
      ['first-an-array.jsonl', `["q", "a"]\n${a}\n${b}\n${c}\n`, ['record 1: is no object.']],
      ['cut.jsonl', `${a}\n${b}\n${c}\n{"question": "Who bu`, ['line 4: is not JSON: ']],
      ['malformed.json', `[${a}, {"question": "q", "answer": NaN}, ${b}, ${c}]`, ['record 2: is not JSON: ']],
      ['lines.json', `[\n${a},\n{"question": "no,\n${b},\n${c}\n]\n`, ['line 3: is not JSON: ']],
      [
        'pretty.json',
        `[\n ${[a, '{"answer":\n NaN}', b, c].join(' ,\n ').replaceAll('","', '",\n "')}]`,
        ['record 2: is not '],
      ],
      ['cut.json', `[${a}, ${b}, ${c}, {"question": "Who b`, ['record 4: is not JSON: ']],
      ['cut-between.json', `[${a}, ${b}, ${c}`, ['record 4: is not JSON: ']],
      ['cut-between-lines.json', `[\n${a},\n${b},\n${c},\n`, ['record 4: is not JSON: ']],
      ['lines-of.json', `${a}\nNaN\n${b}\n${c}`, ['line 2: is not JSON: ']],
      ['short.csv', tableOf([TOWNS[0]]) + 'only\r\n' + table(PLAIN.slice(1)), ['record 2: has 1 cells, and not 2.']],
      ['long.csv', tableOf([TOWNS[0]]) + 'q,a,b\r\n' + table(PLAIN.slice(1)), ['record 2: has 3 cells, and not 2.']],
      [
        'quote.csv',
        tableOf([TOWNS[0]]) + 'q,"a"b\r\n' + table(PLAIN.slice(1)),
        ['line 3: is not CSV: Invalid Closing Quote'],
      ],
      ['open.csv', tableOf([TOWNS[0]]) + 'q,"a\r\n' + table(PLAIN.slice(1)), ['line 3: is not CSV: ']],
      ['inside.csv', tableOf([TOWNS[0]]) + 'a "b" c,d\r\n' + table(PLAIN.slice(1)), ['line 3: is not CSV: ']],
    ])('in %s is left out and listed; the others are read', async (name, content, expected) => {
      const loaded = await load(name, content, OWN);
      expect(asked(loaded)).toEqual(PLAIN);
      expect(loaded.unreadable).toEqual(expected.map((message) => expect.stringContaining(`${name}, ${message}`)));
      expect(loaded.unreadable.join()).not.toContain('Who bu');
      await expect(load(name, content, { benchmark: 'bamboogle' })).rejects.toThrow(expected[0].replace(/\.$/, ''));
    });
  });

  describe('answers', () => {
    it.each<[string, Record<string, unknown>, string[]]>([
      ['a list', { answer: ['Paris', 'Lutetia'] }, ['Paris', 'Lutetia']],
      ['a number', { answer: 17 }, ['17']],
      ['a truth value', { answer: true }, ['true']],
      ['a list as Python writes it', { answer: `['Paris', "L'Île"]` }, ['Paris', "L'Île"]],
      ['a list as numpy writes it', { answer: `['Paris'\n 'Lutetia']` }, ['Paris', 'Lutetia']],
      ['an array of numpy', { answer: `array(['Paris', 'Lutetia'], dtype=object)` }, ['Paris', 'Lutetia']],
      ['a list as JSON writes it', { answer: '["Paris", "Lut\\u00e8ce"]' }, ['Paris', 'Lutèce']],
      ['with aliases inside', { answer: { value: 'Paris', aliases: ['Lutetia'] } }, ['Paris', 'Lutetia']],
      ['with a text and a place', { answer: { text: ['Paris'], answer_start: [3] } }, ['Paris']],
      ['an interval, which is no list', { answer: '[1, 2]' }, ['[1, 2]']],
    ])('%s', async (_, fields, answers) => {
      const loaded = await load('a.jsonl', jsonLines([{ question: 'Q?', ...fields }]), OWN);
      expect(truths(loaded)).toEqual([text(...answers)]);
    });

    it('in several columns, and joined by a sign', async () => {
      const rows = [
        { Question: 'Mother?', '': '', Answer: 'Mildred Warner', 'Answer 2': 'Mildred Gale' },
        { Question: 'Father?', '': '', Answer: 'Lawrence', 'Answer 2': '' },
      ];
      const published = await load('sheet.csv', tableOf(rows), { benchmark: 'bamboogle' });
      expect(truths(published)).toEqual([text('Mildred Warner', 'Mildred Gale'), text('Lawrence')]);
      const columns = { question: 'Question', answer: 'Answer' };
      const own = await load('sheet.csv', tableOf(rows), { ...OWN, columns });
      expect(own.notes).toEqual([
        expect.stringMatching(/^columns that look like further answers are not used: Answer 2\./),
      ]);
      const both = await load('sheet.csv', tableOf(rows), {
        ...OWN,
        columns: { ...columns, answer: ['Answer', 'Answer 2'] },
      });
      expect([truths(both), both.notes]).toEqual([truths(published), []]);
      const zero = [{ question: 'Q?', answer_0: 'a', answer_1: 'b' }];
      expect(truths(await load('fresh.csv', tableOf(zero), { benchmark: 'hotpotqa' }))).toEqual([text('a', 'b')]);
      const joined = [{ question: 'Q?', answer: 'Paris; Lutetia;' }];
      expect(truths(await load('j.csv', tableOf(joined), { ...OWN, separator: ';' }))).toEqual([
        text('Paris', 'Lutetia'),
      ]);
      expect(truths(await load('j.csv', tableOf(joined), OWN))).toEqual([text('Paris; Lutetia;')]);
    });

    it('at the end of a solution', async () => {
      const rows = [
        { problem: 'Half?', solution: 'So \\boxed{x}, no: $\\boxed{\\frac{1}{2}}$.' },
        { problem: 'Sum?', solution: '3+4 = <<3+4=7>>7\n#### 7' },
        { problem: 'Plain?', solution: '\\pi' },
      ];
      const columns = { question: 'problem', answer: 'solution' };
      const loaded = await load('m.jsonl', jsonLines(rows), { columns, answers: 'expression' });
      expect(truths(loaded).map((truth) => truth.kind === 'expression' && truth.value)).toEqual([
        '\\frac{1}{2}',
        '7',
        '\\pi',
      ]);
      const aime = [{ ID: '1', Problem: 'P', Solution: 'Thus $\\boxed{1{,}204}$'.replace('{,}', ',') }];
      expect(truths(await load('aime.jsonl', jsonLines(aime), { benchmark: 'aime24' }))).toEqual([
        { kind: 'number', value: '1204' },
      ]);
      const two = [{ problem: 'Q', solution: ['1', '2'] }];
      await expect(load('two.jsonl', jsonLines(two), { columns, answers: 'number' })).rejects.toThrow(
        /has 2 answers in solution/,
      );
    });

    it.each(['9007199254740993', '-123456789012345678901234567890'])(
      'the integer %s is kept exactly',
      async (digits) => {
        const registration = { ...OWN, answers: 'number' };
        const line = `{"id": ${digits}, "question": "How many 9007199254740993s?", "answer": ${digits}, "x": 0.1234567890123456789}\n`;
        for (const [name, content] of [
          ['n.jsonl', line],
          ['n.json', `[${line}]`],
          ['n.csv', `question,answer\nHow many 9007199254740993s?,${digits}\n`],
        ] as const) {
          const loaded = await load(name, content, registration);
          expect(items(loaded)[0]).toMatchObject({
            question: 'How many 9007199254740993s?',
            truth: { kind: 'number', value: digits },
          });
          expect(scoreByRules(digits, truths(loaded)[0]).ruling).toBe('right');
        }
        const wide = [{ question: 'Q?', answer: 9007199254740993n }];
        expect(truths(await load('n.parquet', wide, registration))).toEqual([
          { kind: 'number', value: '9007199254740993' },
        ]);
      },
    );
  });

  describe('choices', () => {
    const four = ['w', 'x', 'y', 'z'];
    const own = { columns: { question: 'question', answer: 'answer', choices: 'choices' }, answers: 'choice' };
    it.each<[string, Record<string, unknown>, string, string[]]>([
      ['a list and an index', { choices: four, answer: 2 }, 'y', four],
      ['a list and a letter', { choices: four, answer: 'c' }, 'y', four],
      ['a list and a content', { choices: four, answer: 'y' }, 'y', four],
      ['a list and a box', { choices: four, answer: 'So it is \\boxed{C}' }, 'y', four],
      ['an object by letter', { choices: { B: 'x', A: 'w', D: 'z', C: 'y' }, answer: 'C' }, 'y', four],
      ['an object with null', { choices: { A: 'w', B: 'x', C: 'y', D: 'z', E: null }, answer: 'C' }, 'y', four],
      [
        'an object with null inside',
        { choices: { A: 'w', B: null, C: 'y', D: 'z' }, answer: 'C' },
        'y',
        ['w', 'y', 'z'],
      ],
      ['labels beside texts', { choices: { text: four, label: ['1', '2', '3', '4'] }, answer: '3' }, 'y', four],
      ['objects', { choices: four.map((one, n) => ({ label: 'ABCD'[n], text: one })), answer: 'C' }, 'y', four],
      ['a list with an empty one', { choices: ['w', '', 'y', 'z'], answer: 2 }, 'y', ['w', 'y', 'z']],
      ['lettered texts', { choices: ['A. w', 'B. x', 'C. y', 'D. z'], answer: 'C. y' }, 'y', four],
      ['a text of lines', { choices: 'A. w\nB. x\nC. y\nD. z', answer: '(C)' }, 'y', four],
      ['a text of letters', { choices: '(A) w (B) x (C) y (D) z', answer: 'C' }, 'y', four],
      ['a text with bars', { choices: 'w | x | y | z', answer: 'y' }, 'y', four],
      ['a list as Python writes it', { choices: "['w', 'x', 'y', 'z']", answer: '2' }, 'y', four],
      ['a list as JSON writes it', { choices: '[5, 6, 7, 8]', answer: 'C' }, '7', ['5', '6', '7', '8']],
    ])('%s', async (_, fields, right, choices) => {
      const [truth] = truths(await load('c.jsonl', jsonLines([{ question: 'Which?', ...fields }]), own));
      expect([truth.kind === 'choice' && truth.choices, first(truth)]).toEqual([choices, right]);
    });

    it('a column each', async () => {
      const rows = [{ Q: 'Which?', A: 'w', B: 'x', C: 'y', D: 'z', key: 'C' }];
      const columns = { question: 'Q', answer: 'key', choices: ['A', 'B', 'C', 'D'] };
      expect(asked(await load('c.csv', tableOf(rows), { columns, answers: 'choice' }))[0][1]).toBe('y');
      const bare = table([['Which?', 'w', 'x', 'y', 'z', 'C']]);
      const positions = { question: 1, answer: 6, choices: [2, 3, 4, 5] };
      expect(asked(await load('c.csv', bare, { columns: positions, answers: 'choice' }))[0][1]).toBe('y');
    });

    it.each([
      [{ choices: [], answer: 'A' }, /has no choices/],
      [{ choices: {}, answer: 'A' }, /has no choices/],
      [{ choices: ['w', '', 'y'], answer: 1 }, /an answer that is none of its choices/],
      [{ choices: four, answer: 5 }, /an answer that is none of its choices/],
    ])('%j is refused', async (fields, message) => {
      await expect(load('c.jsonl', jsonLines([{ question: 'Which?', ...fields }]), own)).rejects.toThrow(message);
    });

    it('a null among options refuses no benchmark', async () => {
      const options = { A: 'w', B: 'x', C: 'y', D: 'z', E: null };
      const rows = [{ question: 'Which?', options, answer: 'y', answer_idx: 'C' }];
      for (const content of [jsonLines(rows), [{ ...rows[0], options: { ...options, E: 'v' } }, rows[0]]]) {
        const loaded = await load(typeof content === 'string' ? 'm.jsonl' : 'm.parquet', content, {
          benchmark: 'medqa',
        });
        expect(asked(loaded).at(-1)?.[1]).toBe('y');
      }
    });
  });

  describe('the layout of verl', () => {
    const chat = (content: string) => [
      { role: 'system', content: 'You are helpful.' },
      { role: 'user', content },
    ];
    const search = {
      data_source: 'searchR1_nq',
      prompt: chat('Answer the given question. You must conduct reasoning inside <think> and </think>. Question: Who?'),
      reward_model: { style: 'rule', ground_truth: { target: ['Ada', 'Ada L.'] } },
      extra_info: { index: 0, split: 'train' },
    };
    const sums = {
      data_source: 'openai/gsm8k',
      prompt: [{ role: 'user', content: 'Sum? Let\'s think step by step and output the final answer after "####".' }],
      reward_model: { style: 'rule', ground_truth: '72' },
      extra_info: { index: 0, split: 'train', question: 'Sum?' },
    };
    const plain = {
      data_source: 'DigitalLearningGmbH/MATH-lighteval',
      prompt: "Half? Let's think step by step and output the final answer within \\boxed{}.",
      reward_model: { style: 'rule', ground_truth: '\\frac12' },
      extra_info: { index: 1, split: 'train' },
    };

    it('JSONL: chats and texts, answers as text, list and target, by their source', async () => {
      const loaded = await load('v.jsonl', jsonLines([search, sums, plain]), { training: 'verl' });
      expect(items(loaded)).toEqual([
        { id: 'd:searchR1_nq/train/0', question: 'Who?', family: 'searchR1_nq', truth: text('Ada', 'Ada L.') },
        {
          id: 'd:openai/gsm8k/train/0',
          question: 'Sum?',
          family: 'openai/gsm8k',
          truth: { kind: 'number', value: '72' },
        },
        {
          id: 'd:DigitalLearningGmbH/MATH-lighteval/train/1',
          question: 'Half?',
          family: 'DigitalLearningGmbH/MATH-lighteval',
          truth: { kind: 'expression', value: '\\frac12' },
        },
      ]);
    });

    it('Parquet with nested columns, read for itself and by columns that the operator names', async () => {
      const rows = [search, { ...search, prompt: chat('Where?'), extra_info: { index: 1, split: 'train' } }];
      const loaded = await load('v.parquet', rows, { training: 'verl' });
      expect(asked(loaded)).toEqual([
        ['Who?', 'Ada'],
        ['Where?', 'Ada'],
      ]);
      const columns = {
        question: 'prompt',
        answer: 'reward_model.ground_truth',
        family: 'data_source',
        id: 'extra_info.index',
      };
      const named = await load('v.parquet', rows, { columns, answers: 'text' });
      expect(items(named)[1]).toEqual({
        id: 'd:1',
        question: 'Where?',
        family: 'searchR1_nq',
        truth: text('Ada', 'Ada L.'),
      });
    });

    it('the original’s training files', async () => {
      const rows = [
        {
          id: 0,
          question: 'who?',
          chain: '',
          result: 'Ada; Ada L.',
          source: 'nq',
          extra_info: { ground_truth: 'Ada; Ada L.', idx: 5 },
        },
        {
          id: 1,
          question: 'Half?',
          chain: '',
          result: '\\frac{1}{2}',
          source: 'mathhard',
          extra_info: { ground_truth: '', idx: 5 },
        },
      ];
      const loaded = await load('combined_train.parquet', rows, { training: 'verl' });
      expect(items(loaded)).toEqual([
        { id: 'd:0', question: 'who?', family: 'nq', truth: text('Ada', 'Ada L.') },
        { id: 'd:1', question: 'Half?', family: 'mathhard', truth: { kind: 'expression', value: '\\frac{1}{2}' } },
      ]);
    });

    it('says which keys it looked for, and which there are', async () => {
      const rows = [{ promt: 'Who?', reward: { truth: 'a' }, data_source: 'nq' }];
      await expect(load('v.parquet', rows, { training: 'verl' })).rejects.toThrow(
        /record 1: has no question or extra_info.question or prompt; its columns are promt, reward, data_source/,
      );
      const bare = { ...search, reward_model: undefined };
      await expect(load('v.jsonl', jsonLines([bare]), { training: 'verl' })).rejects.toThrow(
        /has no reward_model.ground_truth or ground_truth or result or .*; its columns are data_source, prompt, extra_info/,
      );
      await expect(load('v.parquet', [search], { training: 'deepmath' })).rejects.toThrow(
        /has no question; its columns are data_source, prompt, reward_model, extra_info/,
      );
    });

    it('what cannot be scored or asked is left out and listed', async () => {
      const rows = [
        search,
        { ...search, data_source: 'codecontests' },
        { ...search, data_source: undefined },
        { ...search, prompt: [...chat('One?'), { role: 'assistant', content: 'Yes' }, ...chat('Two?')] },
        { ...search, images: [{ bytes: 'x' }] },
      ];
      const loaded = await load('v.jsonl', jsonLines(rows), { training: 'verl' });
      expect([items(loaded).length, loaded.leftOut]).toEqual([1, 1]);
      expect(loaded.unreadable).toEqual([
        expect.stringMatching(/record 2: has the source codecontests, which is not known: say what its answers are/),
        expect.stringMatching(/record 3: has no data_source/),
        expect.stringMatching(/record 4: has 2 messages of a user in prompt/),
      ]);
      const all = await load('v.jsonl', jsonLines(rows.slice(0, 3)), { training: 'verl', answers: 'text' });
      expect(truths(all)).toEqual([text('Ada', 'Ada L.'), text('Ada', 'Ada L.'), text('Ada', 'Ada L.')]);
    });
  });

  describe('games of 24 from a file', () => {
    const games = [
      { Rank: 900, Puzzles: '1 1 4 6', 'Solved rate': '99.20%' },
      { Rank: 901, Puzzles: '13 4 1 8', 'Solved rate': '98%' },
      { Rank: 1000, Puzzles: '3 3 8 8', 'Solved rate': '97%' },
      { Rank: 1001, Puzzles: '2 2 2 3', 'Solved rate': '90%' },
    ];
    const numbers = (loaded: LoadedItems) =>
      truths(loaded).map((truth) => truth.kind === 'twenty-four' && truth.numbers);

    it('the published table, all of it or its usual test set', async () => {
      expect(numbers(await load('24.csv', tableOf(games), { benchmark: 'game24' }))).toHaveLength(4);
      const test = await load('24.csv', tableOf(games), { benchmark: 'game24', ranks: [901, 1000] });
      expect(numbers(test)).toEqual([
        [1, 4, 8, 13],
        [3, 3, 8, 8],
      ]);
      expect(test.leftOut).toBe(2);
      expect(scoreByRules('8 / (3 - 8 / 3)', truths(test)[1]).ruling).toBe('right');
    });

    it('lists of numbers, solved or not', async () => {
      const rows = [
        { numbers: [1, 1, 4, 6], solvable: true },
        { numbers: [1, 1, 1, 1], solvable: false },
      ];
      expect(numbers(await load('g.jsonl', jsonLines(rows), { benchmark: 'game24' }))).toEqual([[1, 1, 4, 6]]);
      const original = [{ pid: '0', question: [1, 1, 4, 6], answer: ['…'], query: 'Make 24', image: null }];
      expect(numbers(await load('g.json', JSON.stringify(original), { benchmark: 'game24' }))).toEqual([[1, 1, 4, 6]]);
      await expect(load('g.csv', 'Puzzles\n1 1 4\n', { benchmark: 'game24' })).rejects.toThrow(
        /has 3 numbers in Puzzles/,
      );
    });
  });

  it('tells records that share an id apart, and says so', async () => {
    const rows = [1, 1, 2].map((id, n) => ({ id, question: `Q${n}?`, answer: 'a' }));
    const loaded = await load('ids.jsonl', jsonLines(rows), { ...OWN, columns: { ...OWN.columns, id: 'id' } });
    expect(new Set(items(loaded).map(({ id }) => id)).size).toBe(3);
    expect(loaded.notes).toEqual(['2 records share their id with others: a part of their hash tells them apart']);
  });

  it('refuses a question that no payload holds', async () => {
    const rows = [...TOWNS, { question: 'x'.repeat(600_000), answer: 'a' }];
    const loaded = await load('long.jsonl', jsonLines(rows), OWN);
    expect(loaded.unreadable).toEqual([
      expect.stringMatching(/record 4: has a question of 600000 bytes, and may have 524288/),
    ]);
  });
});
