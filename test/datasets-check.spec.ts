import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import type { DatasetCheck, DatasetReport } from '../contracts/dataset-check.js';
import { PROJECT_ROOT } from '../infra/config/project-root.js';

const CLI = join(PROJECT_ROOT, 'dist/cli/main.js');
const SECONDS = { train_heartbeat_s: 2, call_heartbeat_s: 2, trainer_sticky_s: 1, patience_s: 9, group_deadline_s: 9 };

/** As a user runs it: a process of the CLI, which has another one read the files. */
describe('agentflow datasets check', () => {
  const directory = mkdtempSync(join(tmpdir(), 'agentflow-datasets-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  function write(name: string, text: string): string {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  }

  /** Checks the datasets that are registered so. */
  function check(datasets: unknown, ...names: string[]) {
    const operator = {
      models: { m: { source: 'tiny-random', context: 2048 }, small: { source: 'tiny-random', context: 64 } },
      tools: ['calculator'],
      timeouts: SECONDS,
    };
    const file = write('operator.yaml', stringify({ ...operator, datasets }));
    return run({ AGENTFLOW_OPERATOR_FILE: file }, ...names);
  }

  function run(env: Record<string, string>, ...names: string[]) {
    return new Promise<{ lines: string[]; error: string; code: number }>((resolve) => {
      const options = { env: { ...process.env, ...env } };
      execFile(process.execPath, [CLI, 'datasets', 'check', ...names], options, (error, stdout, stderr) =>
        resolve({ lines: stdout.trim().split('\n'), error: stderr.trim(), code: Number(error?.code ?? 0) }),
      );
    });
  }

  const benchmark = () =>
    write('benchmark.json', JSON.stringify([{ id: 1, question: 'Who built it?', golden_answers: ['Ada'] }]));
  const training = () => write('training.csv', 'Q,A\nWho built it?,Ada\nWho sold it?,Bob\nWho saw it?,\n');
  const own = { columns: { question: 'Q', answer: 'A' }, answers: 'text' };

  it('counts, names what overlaps and what is unreadable, and shows no answer', async () => {
    const datasets = {
      atlas: {},
      bamboogle: { benchmark: 'bamboogle', path: benchmark() },
      mine: { ...own, path: training(), exclude_overlap_with: ['bamboogle'] },
      mix: { mix: { mine: 1 } },
    };
    const { lines, error, code } = await check(datasets);
    expect({ error, code }).toEqual({ error: '', code: 0 });
    const characters = expect.stringMatching(/^ {2}characters of a question: median \d+, .* longest \d+$/);
    const tokens = '  tokens of a question: say the model, with --model NAME';
    expect(lines).toEqual([
      expect.stringMatching(/^dataset +training +held out/),
      'atlas      made up',
      expect.stringMatching(/^bamboogle +0 +1 +1 +13 to 13 +0 +0$/),
      expect.stringMatching(/^mine +1 +0 +1 +12 to 12 +2 +0$/),
      '',
      'atlas: a made-up world, nothing to read',
      '',
      expect.stringMatching(/^bamboogle: 0 training, 1 held-out questions, sha256 [0-9a-f]{12}$/),
      '  families: two-hop 1',
      characters,
      tokens,
      '  licence: no file of that name beside the data',
      '',
      expect.stringMatching(/^mine: 1 training, 0 held-out questions, sha256 [0-9a-f]{12}$/),
      '  families: mine 1',
      characters,
      tokens,
      '  licence: no file of that name beside the data',
      '  1 records not readable:',
      `    ${join(directory, 'training.csv')}, record 3: has no A.`,
      '  1 questions left out for overlap: bamboogle 1',
      expect.stringMatching(/^ {4}mine:[0-9a-f]{12} ~ bamboogle:1: who built it$/),
    ]);
    expect((await check(datasets, 'mix')).lines[3]).toMatch(/^mine: 1 training/);
  });

  it('tells lengths in tokens of a model, and which questions its context has no room for', async () => {
    const datasets = { atlas: {}, mine: { ...own, path: training() } };
    const json = async (model: string) => {
      const { lines, error, code } = await check(datasets, 'mine', 'atlas', '--json', '--model', model);
      expect({ error, code }).toEqual({ error: '', code: 0 });
      return (JSON.parse(lines.join('\n')) as { data: DatasetCheck[] }).data;
    };
    const [mine, atlas] = await json('m');
    expect(atlas).toEqual({ name: 'atlas', madeUp: true });
    // "Who built it?" is a token a word and one for its mark.
    const { prompt, ...tokens } = (mine as DatasetReport).tokens!;
    expect(tokens).toEqual({
      model: 'm',
      context: 2048,
      plan: 20,
      room: 2048 - prompt - 20,
      question: { median: 4, p95: 4, longest: 4 },
      tooLong: { count: 0, first: [] },
    });
    const anId = expect.stringMatching(/^mine:[0-9a-f]{12}$/);
    const [crowded] = (await json('small')) as DatasetReport[];
    expect(crowded.tokens).toMatchObject({ prompt, room: 0, tooLong: { count: 2, first: [anId, anId] } });
    expect((await check(datasets, '--model', 'm')).lines).toContain(
      `  room for a question: ${tokens.room} tokens; of a context of 2048 the planner's prompt takes ${prompt}, a plan 20`,
    );
  });

  it('refuses a model that is not registered, before it reads anything', async () => {
    const { error, code } = await check({ mine: { ...own, path: join(directory, 'gone.csv') } }, '--model', 'large');
    expect(code).toBe(1);
    expect(error).toMatch(/no model is registered as "large"\. Registered models: m, small\.$/);
  });

  it('fails where a dataset cannot be used, and says which and why', async () => {
    const path = join(directory, 'gone.csv');
    const { lines, code } = await check({ atlas: {}, mine: { ...own, path } }, 'atlas', 'mine', 'other');
    expect(code).toBe(1);
    expect(lines.slice(1, 4)).toEqual(['atlas    made up', 'mine     CANNOT BE USED', 'other    CANNOT BE USED']);
    expect(lines[5]).toMatch(/^atlas: /);
    expect(lines.slice(7, 9)).toEqual([
      'mine: CANNOT BE USED',
      expect.stringContaining(`${path}: there is no such file`),
    ]);
    expect(lines.slice(10)).toEqual(['other: CANNOT BE USED', expect.stringContaining('not registered')]);
  });

  it('says what is wrong with the operator’s file, or where it was looked for', async () => {
    const wrong = await check({ mine: { ...own, path: 'relative.csv' } });
    expect(wrong.code).toBe(1);
    expect(wrong.error).toMatch(/cannot be checked: .*operator\.yaml: fields to correct:\n.*datasets\.mine\.path/);
    const relative = await run({ AGENTFLOW_OPERATOR_FILE: 'operator.yaml' });
    expect(relative.code).toBe(1);
    expect(relative.error).toMatch(/AGENTFLOW_OPERATOR_FILE must be an absolute path$/);
  });
});
