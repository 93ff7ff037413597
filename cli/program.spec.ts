import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunConfig } from '../contracts/run-config.js';
import {
  Checkpoint,
  HeldOutEvaluation,
  TrainingRun,
  TrainingStep,
  UploadedDataset,
} from '../infra/database/entities/index.js';
import { writeRunStatus } from '../infra/database/run-status.js';
import { stepAnswers } from '../infra/database/testing/step-answers.js';
import type { CliContext } from './context.js';
import { EXAMPLES, leavesOf } from './examples.js';
import { createProgram } from './program.js';
import { PYTHON_EXIT_CODE, runCli, type CliOutcome } from './testing/test-cli.js';
import { TestApi } from '../api/testing/test-api.js';
import type { TrainingRun as TrainingRunAnswer } from './client/api-types.js';

/** What only starts, stops or prints something for another program. */
const WITHOUT_JSON = ['mcp', 'up', 'down', 'completion'];

it('every command that tells something has --json for programs, and every one says what it does', () => {
  const program = createProgram({} as CliContext);
  const walk = (command: Command, path: string[]): void => {
    expect([path, command.description()]).toEqual([path, expect.stringMatching(/\.$/)]);
    for (const one of command.commands) walk(one, [...path, one.name()]);
  };
  walk(program, []);
  const without = leavesOf(program).filter(({ command }) => !command.options.some(({ long }) => long === '--json'));
  expect(without.map(({ path }) => path)).toEqual(WITHOUT_JSON);
});

describe('the examples', () => {
  const program = createProgram({} as CliContext);
  const leaves = leavesOf(program);

  it('are of commands that there are', () => {
    expect(Object.keys(EXAMPLES).toSorted()).toEqual(leaves.map(({ path }) => path).toSorted());
  });

  it.each(leaves.map(({ path, command }) => [path, command] as const))(
    'of `agentflow %s` are in its help and are understood',
    async (path, command) => {
      let help = '';
      const understood: string[] = [];
      command.configureOutput({ writeOut: (text) => (help += text) }).action(() => void understood.push(path));
      command.outputHelp();
      for (const example of EXAMPLES[path]) {
        expect(help).toContain(example);
        const [name, ...words] = wordsOf(example);
        expect(name).toBe('agentflow');
        await program.parseAsync(words, { from: 'user' });
      }
      expect(understood).toEqual(EXAMPLES[path].map(() => path));
    },
  );

  /** As a shell parts them, without the comment and what goes to a file. */
  function wordsOf(example: string): string[] {
    const [typed] = example.split(/ +[#>] /);
    return [...typed.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare);
  }
});

describe('agentflow', () => {
  let api: TestApi;
  let directory: string;
  let file: string;

  beforeAll(async () => {
    api = await TestApi.start();
    directory = await mkdtemp(join(tmpdir(), 'agentflow-cli-'));
    file = join(directory, 'run.yaml');
    await writeFile(file, 'name: from a file\nmodel: tiny-random\nsteps: 2\n');
  });
  afterAll(async () => {
    await api.stop();
    await rm(directory, { recursive: true });
  });

  const cli = (...args: string[]): Promise<CliOutcome> => runCli({ url: api.url, key: api.key }, ...args);
  const json = async <T>(...args: string[]): Promise<T> =>
    JSON.parse((await cli(...args, '--json')).lines.join('\n')) as T;
  const train = (...args: string[]): Promise<TrainingRunAnswer> => json('train', file, ...args);

  it('train submits a file, with keys overruled', async () => {
    const run = await train('--set', 'steps=5', '--set', 'training.learning_rate=1e-5', '--set', 'flow.tools=[lookup]');
    expect(run).toMatchObject({
      name: 'from a file',
      steps: 5,
      config: { training: { learning_rate: 1e-5 }, flow: { tools: ['lookup'] } },
    });
    expect((await cli('train', file)).lines.join('\n')).toContain('status   queued');
  });

  it('train gives the same run for the same idempotency key', async () => {
    const first = await train('--idempotency-key', 'k');
    expect((await train('--idempotency-key', 'k')).id).toBe(first.id);
  });

  it('train starts from a policy of another run, with other keys overruled beside it', async () => {
    const parent = await api.commitPolicy((await train()).id, 12, 'a'.repeat(64));
    const other = await api.commitPolicy((await train()).id, 0, 'b'.repeat(64));
    const from = ['--from', parent];
    expect((await train(...from)).config.from).toEqual({ policy: parent, optimizer: false, allow: [] });
    const run = await train(...from, '--with-optimizer', '--set', 'steps=5');
    expect(run).toMatchObject({ steps: 5, config: { from: { policy: parent, optimizer: true } } });
    const allowed = await train(...from, '--allow', 'base-model,prompts');
    expect(allowed.config.from?.allow).toEqual(['base-model', 'prompts']);
    expect((await train(...from, '--set', `from.policy=${other}`)).config.from?.policy).toBe(other);
  });

  it('train --dry-run prints the effective configuration and the memory of a step, and submits nothing', async () => {
    const runs = await api.database.dataSource.getRepository(TrainingRun).count();
    const printed = await cli('train', file, '--dry-run', '--set', 'training.group_size=4');
    const { lines } = printed;
    expect(lines[0]).toBe('# Nothing was submitted. Steps: 2; each: 8 groups, 32 rollouts, at most 64 turns, 1 update');
    expect(lines.slice(-3)).toEqual(['# Memory of a gradient step:', '# total  9 GiB  DOES NOT FIT', '# Note: a.']);
    expect(printed.exitCode).toBe(1);
    const printedFile = join(directory, 'printed.yaml');
    await writeFile(printedFile, lines.join('\n'));
    const again = await cli('train', printedFile, '--dry-run', '--json', '--device-gib', '80');
    expect(await api.database.dataSource.getRepository(TrainingRun).count()).toBe(runs);
    const { config } = await train('--set', 'training.group_size=4');
    const step = { groups: 8, draws: 8, rollouts: 32, turns: 64, updates: 1 };
    expect(JSON.parse(again.lines.join('\n'))).toEqual({ config, step, estimate: { total: 9 } });
    expect(again.exitCode).toBe(1);
    expect(again.pythonInputs).toEqual([config]);
    const args = ['--json', '--device-gib', '80'];
    expect(again.pythonCalls).toMatchObject([{ module: 'flow_grpo.estimate', args }]);
  });

  it('train --dry-run needs no API, and refuses what the API refuses', async () => {
    const away = { url: 'http://127.0.0.1:9', key: 'k' };
    const check = (...args: string[]) => runCli(away, 'train', file, '--dry-run', ...args);
    expect((await check()).lines.join('\n')).toContain('\nmodel: tiny-random\n');
    await expect(check('--set', 'training.group_size=1')).rejects.toThrow(/accepted:\n- training.group_size: must be/);
    await expect(check('--set', 'model=gpt-9')).rejects.toThrow(/no model "gpt-9"[^]*models:\n {2}gpt-9: \{ source/);
  });

  it('train --dry-run knows what the project uploaded, and says how it is', async () => {
    const uploads = api.database.dataSource.getRepository(UploadedDataset);
    const access = { url: api.url, key: api.key };
    const people = join(directory, 'people.csv');
    await writeFile(people, 'question,answer\nWho?,Ada\n');
    await cli('datasets', 'upload', people, '--name', 'people', '--held-out', '2');
    const check = (of = access) => runCli(of, 'train', file, '--dry-run', '--json', '--set', 'dataset.name=people');
    await expect(check()).rejects.toThrow(/dataset\.name: "people" is being checked/);
    const { id } = await uploads.findOneByOrFail({ name: 'people' });
    const report = { training: 3, held_out: 2 } as UploadedDataset['report'];
    await uploads.update({ id }, { status: 'ready', report });
    const { config } = JSON.parse((await check()).lines.join('')) as { config: RunConfig };
    expect(config.dataset).toMatchObject({ name: 'people', upload: id });
    const { lines } = await runCli(access, 'train', file, '--set', 'dataset.name=people', '--json');
    expect(JSON.parse(lines.join(''))).toMatchObject({ config });
    await uploads.update({ id }, { report: { ...report, training: 0 } });
    await expect(check()).rejects.toThrow(/none is left to train on/);
    await expect(check({ url: 'http://127.0.0.1:9', key: 'k' })).rejects.toThrow(/there is no dataset "people"/);
  });

  it.each([
    ['what the API refuses', ['--set', 'flow.tools=[sledgehammer]'], /no tool "sledgehammer"/],
    ['an overrule without a value', ['--set', 'steps'], /key\.path=value/],
    ['an overrule inside a value', ['--set', 'steps.more=1'], /"steps" holds no keys/],
    ['a policy that is none', ['--from', '../weights'], /from\.policy/],
    ['an optimiser of nothing', ['--with-optimizer'], /needs --from/],
    ['a difference from nothing', ['--allow', 'prompts'], /needs --from/],
    ['a difference of no name', ['--from', 'run-a@1', '--allow', 'model'], /base-model, tokenizer, prompts, dataset/],
    ['a device of nothing', ['--device-gib', '80'], /needs --dry-run/],
    ['a prototype', ['--set', '__proto__.polluted=1'], /__proto__ is a key that cannot be used/],
  ])('train says what is wrong with %s', async (_, args, message) => {
    await expect(cli('train', file, ...args)).rejects.toThrow(message);
    expect(Object.prototype).not.toHaveProperty('polluted');
  });

  it('train says that a file is not there or not YAML', async () => {
    await expect(cli('train', join(directory, 'none.yaml'))).rejects.toThrow(/cannot be read/);
    const broken = join(directory, 'broken.yaml');
    await writeFile(broken, 'model: [');
    await expect(cli('train', broken)).rejects.toThrow(/not YAML that can be accepted/);
  });

  it('runs list and show, with evaluations', async () => {
    const { id } = await train();
    await api.database.dataSource.getRepository(HeldOutEvaluation).insert({
      id: `${id}/eval/0/policy`,
      runId: id,
      step: 0,
      planner: 'policy',
      policyName: `${id}@0`,
      policySha256: 'ab',
      questions: 4,
      correct: 2,
      failed: 0,
      accuracy: 0.5,
      intervalLow: 0.15,
      intervalHigh: 0.85,
      byFamily: { lookup: { questions: 4, correct: 2, accuracy: 0.5 } },
      meanTurns: 1,
      toolMix: { lookup: 4 },
    });
    const list = await cli('runs', 'list', '--limit', '1');
    expect(list.lines[1]).toMatch(new RegExp(`^${id}  queued  0/2   tiny-random`));
    expect(list.notes[0]).toContain(`--after ${id}`);
    expect((await cli('runs', 'show', id)).lines.at(-1)).toMatch(/^0 +policy +0\.500 +0\.150-0\.850 +2\/4 +0\.500$/);
    await expect(cli('runs', 'show', 'run-none')).rejects.toThrow('There is no training run "run-none".');
  });

  it('runs list takes filters', async () => {
    const { id } = await train('--set', 'name=only this one');
    const list = (...args: string[]) => json<{ data: { id: string }[] }>('runs', 'list', ...args);
    const since = ['--created-from', '2020-01-01T00:00:00Z', '--model', 'tiny-random', '--dataset', 'atlas'];
    const { data } = await list('--name', 'ONLY this', '--status', 'queued', ...since);
    expect(data.map((run) => run.id)).toEqual([id]);
    expect((await list('--created-before', '2020-01-01T00:00:00Z')).data).toEqual([]);
    await expect(cli('runs', 'list', '--status', 'done')).rejects.toThrow(/queued, running/);
    await expect(cli('runs', 'list', '--created-from', '2020-01-01')).rejects.toThrow(/with its offset/);
  });

  it('runs fork submits a run that starts from a policy of another', async () => {
    const { id } = await train();
    const policy = await api.commitPolicy(id, 1, 'c'.repeat(64));
    const fork = await json<TrainingRunAnswer>(
      'runs',
      'fork',
      id,
      '--step',
      '1',
      '--set',
      'steps=7',
      '--allow',
      'prompts',
    );
    expect(fork).toMatchObject({ steps: 7, config: { from: { policy, optimizer: false, allow: ['prompts'] } } });
    const lines = (await cli('runs', 'fork', id, '--step', '1', '--set', 'training.group_size=4')).lines;
    expect(lines).toContain('status   queued');
    await expect(cli('runs', 'fork', id, '--step', '8')).rejects.toThrow(/no policy/);
  });

  it('runs answers shows what the answers of each step were like, and examples of one', async () => {
    const { id: runId } = await train();
    expect((await cli('runs', 'answers', runId)).notes).toEqual([`No step of ${runId} has answers to show.`]);
    const step = { runId, policySha256: 'ab', metrics: { reward_mean: 0.5 } };
    await api.database.dataSource.getRepository(TrainingStep).insert([
      { ...step, step: 1, answers: stepAnswers() },
      { ...step, step: 2, answers: { ...stepAnswers(), warnings: [] } },
      { ...step, step: 3 },
    ]);
    const { lines } = await cli('runs', 'answers', runId, '--step', '1');
    expect(lines).toEqual([
      expect.stringMatching(/^STEP +REWARD +UNDECIDED +LENIENT +REPEATED +DENIED +LENGTH +FORMS +WARNINGS$/),
      expect.stringMatching(/^1 +0\.500 +0\.250 +0\.000 +0\.000 +- +7 +bare 100 % +undecided$/),
      expect.stringMatching(/^2 .* -$/),
      '',
      'Step 1: 25 % of the answers are undecided.',
      '',
      'Step 1, undecided: 1 of 4, for example',
      '  run-a/2/0/1  America or so',
    ]);
    expect((await cli('runs', 'answers', runId)).lines.join('\n')).not.toContain('Step 1');
    expect(await json('runs', 'answers', runId, '--step', '2')).toMatchObject({ step: 2, answers: { warnings: [] } });
    await expect(cli('runs', 'answers', runId, '--step', '3')).rejects.toThrow('Step 3');
    await expect(cli('runs', 'answers', runId, '--step', 'last')).rejects.toThrow(/whole number/);
  });

  it('runs pause, resume, learning-rate, extend, stop and cancel', async () => {
    const { id } = await train();
    await api.database.dataSource.getRepository(TrainingRun).update({ id }, { status: 'running' });
    api.workflows.calls.length = 0;
    expect((await cli('runs', 'pause', id)).lines[2]).toBe('status   pausing');
    await cli('runs', 'pause', id, '--now');
    await cli('runs', 'resume', id);
    await cli('runs', 'resume', id, '--allow', 'prompts,dataset');
    await cli('runs', 'learning-rate', id, '2e-5');
    await cli('runs', 'extend', id, '5');
    await cli('runs', 'stop', id);
    await cli('runs', 'cancel', id);
    expect(api.workflows.calls).toEqual([
      ['pause', id, { now: false }],
      ['pause', id, { now: true }],
      ['resume', id, { allow: [] }],
      ['resume', id, { allow: ['prompts', 'dataset'] }],
      ['setLearningRate', id, 2e-5],
      ['extend', id, 5],
      ['stopAfterStep', id],
      ['cancel', id],
    ]);
  });

  it.each(['', '.', '..'])('%j is not an id, and no path of the API', async (id) => {
    await expect(cli('runs', 'cancel', id)).rejects.toThrow(`"${id}" is not an id.`);
  });

  it('runs learning-rate takes no word for a number', async () => {
    await expect(cli('runs', 'learning-rate', 'run-a', 'fast')).rejects.toThrow(/above 0/);
  });

  it('runs resume names the parts that can be allowed', async () => {
    const { id } = await train();
    await expect(cli('runs', 'resume', id, '--allow', 'model')).rejects.toThrow(
      /prompts, dataset, tools, reward, trajectories/,
    );
  });

  it('runs watch prints each event on a line and tells by the exit code how the run ended', async () => {
    const { dataSource } = api.database;
    for (const [status, exitCode] of [
      ['completed', 0],
      ['failed', 1],
    ] as const) {
      const { id: runId } = await train();
      const watching = cli('runs', 'watch', runId);
      await writeRunStatus(dataSource, { runId, version: 1, status: 'running', step: 0, steps: 9 });
      const failure = status === 'failed' ? { failure: { type: 'NonFiniteLoss', message: 'group 3' } } : {};
      await writeRunStatus(dataSource, { runId, version: 2, status, step: 2, steps: 9, ...failure });
      const { lines, exitCode: code } = await watching;
      expect(lines.map((line) => line.split(/\s+/)[2])).toEqual(['run.queued', 'run.running', `run.${status}`]);
      expect(code).toBe(exitCode);
      if (status === 'failed') expect(lines[2]).toContain('NonFiniteLoss: group 3');
    }
  });

  it.each([
    [['skip-group'], { kind: 'skip-group' }],
    [['skip-group', '--groups', '1,2'], { kind: 'skip-group', groups: [1, 2] }],
    [['skip-step'], { kind: 'skip-step' }],
    [['learning-rate', '1e-6'], { kind: 'learning-rate', learningRate: 1e-6 }],
  ])('decide %j', async (args, decision) => {
    const { id } = await train();
    await api.database.dataSource.getRepository(TrainingRun).update({ id }, { status: 'paused' });
    api.workflows.calls.length = 0;
    expect((await cli('decide', id, ...args)).lines[2]).toBe('status   running');
    expect(api.workflows.calls).toEqual([['decide', id, decision]]);
  });

  it.each([
    [['skip-step', '1e-6'], /takes no learning rate/],
    [['skip-step', '--groups', '1'], /takes no --groups/],
    [['learning-rate'], /needs a positive number/],
    [['learning-rate', '-1'], /needs a positive number/],
    [['learning-rate', '7'], /learning_rate/],
  ])('decide says what is wrong with %j', async (args, message) => {
    const { id } = await train();
    await expect(cli('decide', id, ...args)).rejects.toThrow(message);
  });

  it('names the groups and the commands to choose from where a loss was not finite', async () => {
    const { id: runId } = await train();
    const { dataSource } = api.database;
    const failure = { type: 'NonFiniteLoss', message: 'the loss is not finite in groups [1, 3]', groups: [1, 3] };
    const choices = [
      'The step waits for a decision; choose one of:',
      `  npx agentflow decide ${runId} skip-group          leave groups 1 and 3 out of the step`,
      `  npx agentflow decide ${runId} skip-step           make no update in this step`,
      `  npx agentflow decide ${runId} learning-rate RATE  take the step again with another learning rate`,
    ];
    const at = { runId, step: 0, steps: 2 };
    await writeRunStatus(dataSource, { ...at, version: 1, status: 'running' });
    expect((await cli('runs', 'show', runId)).lines).toContainEqual(expect.stringMatching(/^now +not known: \S/));
    await writeRunStatus(dataSource, { ...at, version: 2, status: 'paused', failure });
    expect((await cli('runs', 'show', runId)).lines.slice(-4)).toEqual(choices);
    await writeRunStatus(dataSource, { ...at, version: 3, status: 'cancelling', failure });
    await writeRunStatus(dataSource, { ...at, version: 4, status: 'cancelled', failure });
    const { lines, notes } = await cli('runs', 'watch', runId);
    expect(lines[2]).toContain(failure.message);
    expect(notes).toEqual(choices);
    expect((await cli('runs', 'watch', runId, '--json')).notes).toEqual([]);
  });

  it('checkpoints lists them', async () => {
    const { id } = await train();
    await api.database.dataSource
      .getRepository(Checkpoint)
      .insert({ runId: id, step: 1, uri: 'file:///c', sha256: 'abcdef', bytes: 3_145_728 });
    expect((await cli('checkpoints', id)).lines[1]).toMatch(new RegExp(`^${id}@1  abcdef  3 MiB .* file:///c$`));
  });

  it.each([
    [[], []],
    [['run-a'], ['--run', 'run-a']],
    [
      ['run-a', '--json'],
      ['--run', 'run-a', '--json'],
    ],
  ])('checkpoints verify %j runs the verifier on the data of the stack and ends as it does', async (args, passed) => {
    const { pythonCalls, exitCode } = await cli('checkpoints', 'verify', ...args);
    expect(pythonCalls).toEqual([{ module: 'flow_grpo.verify', args: passed, env: { DATABASE_URL: 'the stack’s' } }]);
    expect(exitCode).toBe(PYTHON_EXIT_CODE);
  });

  it('export writes a policy into a directory', async () => {
    const policy = await cli('export', 'run-a@3', '--to', 'out');
    const called = { module: 'flow_grpo.export', env: { DATABASE_URL: 'the stack’s' } };
    expect(policy.pythonCalls).toEqual([{ ...called, args: ['run-a@3', '--to', resolve('out')] }]);
    expect(policy.exitCode).toBe(PYTHON_EXIT_CODE);
    const merged = await cli('export', 'run-a@3', '--to', '/x/out', '--merged');
    expect(merged.pythonCalls).toEqual([{ ...called, args: ['run-a@3', '--to', '/x/out', '--merged'] }]);
  });

  it('says that nothing answers, and that a key is wrong', async () => {
    await expect(runCli({ url: 'http://127.0.0.1:9', key: 'k' }, 'runs', 'list')).rejects.toThrow(/npm run up/);
    await expect(runCli({ url: api.url, key: 'wrong' }, 'runs', 'list')).rejects.toThrow(/valid API key/);
  });
});
