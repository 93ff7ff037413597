import { describe, expect, it } from '@jest/globals';
import type { DatasetCheck, TokenLengths } from '../../../contracts/dataset-check.js';
import { SOURCES } from '../../../infra/datasets/sources.js';
import { runCli } from '../../testing/test-cli.js';
import { checkReport, checkReports } from './check-report.js';
import { progressLines } from './progress-lines.js';

const cli = (...args: string[]) => runCli({ url: 'http://127.0.0.1:9', key: 'none' }, 'datasets', ...args);

describe('agentflow datasets', () => {
  it('list names what can be fetched, with licence and gate, and what is registered; it needs no stack', async () => {
    const { lines } = await cli('list');
    for (const [name, { repository }] of Object.entries(SOURCES)) {
      expect(lines.some((line) => line.includes(name) && line.includes(repository))).toBe(true);
    }
    expect(lines.filter((line) => line.endsWith(', gated'))).toHaveLength(2);
    expect(lines.at(-1)).toMatch(/^Registered: .*atlas/);
  });

  it('fetch refuses a name without a source, and a gated dataset without a token', async () => {
    await expect(cli('fetch', 'riddles')).rejects.toThrow(/No source is known of "riddles".*bamboogle/);
    const token = process.env.HF_TOKEN;
    delete process.env.HF_TOKEN;
    await expect(cli('fetch', 'gpqa')).rejects.toThrow(/gpqa is gated: .*HF_TOKEN/);
    if (token !== undefined) process.env.HF_TOKEN = token;
  });
});

describe('progressLines', () => {
  it('prints each tenth of a file once', () => {
    const lines: string[] = [];
    const report = progressLines((line) => lines.push(line));
    for (let bytes = 0; bytes <= 1_000_000; bytes += 10_000) report({ file: 'a', bytes, total: 1_000_000 });
    expect(lines).toHaveLength(10);
    expect(lines[0]).toBe('a: 0.1 MB, 10 %');
    expect(lines.at(-1)).toBe('a: 1.0 MB, 100 %');
  });
});

describe('checkReport', () => {
  it('says why a dataset cannot be used', () => {
    expect(checkReport({ name: 'gaia', problem: 'no file' })).toEqual(['gaia: CANNOT BE USED', '  no file']);
  });

  it('says that there is nothing to read of a made-up world', () => {
    expect(checkReport({ name: 'atlas', madeUp: true })).toEqual(['atlas: a made-up world, nothing to read']);
  });

  const CHECK: DatasetCheck = {
    name: 'nq',
    training: 38,
    heldOut: 5,
    families: { search: 43 },
    characters: { median: 20, p95: 30, longest: 41 },
    licence: { stated: 'mit', files: ['LICENSE'] },
    notes: ['nq.jsonl: 4 bytes are not UTF-8'],
    findings: [{ kind: 'unwinnable', says: 'no answer is right', count: 6, first: ['nq:1', 'nq:2'] }],
    repeated: 1,
    leftOut: 0,
    unreadable: { count: 1, first: ['nq.jsonl, record 3: has no answer.'] },
    overlapping: {
      count: 1,
      byBenchmark: { bamboogle: 1 },
      first: [{ item: 'nq:7', benchmark: 'bamboogle', question: 'bamboogle:x', words: 'who wrote it' }],
    },
    sha256: 'f'.repeat(64),
  };

  it('counts what was left out, and shows the overlaps and what there is to look at', () => {
    expect(checkReport(CHECK)).toEqual([
      'nq: 38 training, 5 held-out questions, sha256 ffffffffffff',
      '  families: search 43',
      '  characters of a question: median 20, 95 % have at most 30, longest 41',
      '  tokens of a question: say the model, with --model NAME',
      '  licence: mit, as the publisher states it, LICENSE',
      '  note: nq.jsonl: 4 bytes are not UTF-8',
      '  6 to look at: no answer is right',
      '    nq:1, nq:2, 4 more',
      '  1 repeated records dropped',
      '  1 records not readable:',
      '    nq.jsonl, record 3: has no answer.',
      '  1 questions left out for overlap: bamboogle 1',
      '    nq:7 ~ bamboogle:x: who wrote it',
    ]);
  });

  const TOKENS: TokenLengths = {
    model: 'small',
    context: 512,
    prompt: 400,
    plan: 20,
    room: 92,
    question: { median: 9, p95: 80, longest: 300 },
    tooLong: { count: 3, first: ['nq:1', 'nq:2'] },
  };

  it('says in tokens how long the questions are, what room there is for them, and which do not fit', () => {
    expect(checkReport({ ...CHECK, tokens: TOKENS }).slice(3, 7)).toEqual([
      '  tokens of a question, by small: median 9, 95 % have at most 80, longest 300',
      "  room for a question: 92 tokens; of a context of 512 the planner's prompt takes 400, a plan 20",
      '  3 questions do not fit, and are excluded as prompt_too_long:',
      '    nq:1, nq:2, 1 more',
    ]);
    const fitting = { ...TOKENS, tooLong: { count: 0, first: [] } };
    expect(checkReport({ ...CHECK, tokens: fitting })[5]).toMatch(/^ {2}licence/);
    expect(
      checkReports([
        { ...CHECK, tokens: TOKENS },
        { name: 'atlas', madeUp: true },
      ]).slice(0, 3),
    ).toEqual([
      'dataset  training  held out  families  characters  tokens    too long  left out  to look at',
      'nq       38        5         1         20 to 41    9 to 300  3         3         2',
      'atlas    made up',
    ]);
  });

  it('begins with a table of all', () => {
    const checks: DatasetCheck[] = [CHECK, { name: 'atlas', madeUp: true }, { name: 'gaia', problem: 'no file' }];
    expect(checkReports(checks).slice(0, 6)).toEqual([
      'dataset  training        held out  families  characters  left out  to look at',
      'nq       38              5         1         20 to 41    3         2',
      'atlas    made up',
      'gaia     CANNOT BE USED',
      '',
      'nq: 38 training, 5 held-out questions, sha256 ffffffffffff',
    ]);
  });
});
