import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { EmbeddingServer } from '../activities/tools/passages/testing/embedding-server.js';
import { madeQuestions } from '../activities/tools/passages/testing/made-questions.js';
import { PROJECT_ROOT } from '../infra/config/project-root.js';
import { SupervisedStack, until } from './support/supervised-stack.js';

jest.setTimeout(600_000);

const EXAMPLE = join(PROJECT_ROOT, 'examples/hotpotqa-local.yaml');
const work = mkdtempSync(join(tmpdir(), 'agentflow-hotpotqa-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const command = (...args: string[]): string[] => [join(PROJECT_ROOT, 'dist/cli/main.js'), 'passages', 'index', ...args];

function index(args: string[], more: object = {}): Promise<{ code: number; printed: string; said: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, AGENTFLOW_DATA: join(work, 'data'), ...more };
    execFile(process.execPath, command(...args), { env }, (error, printed, said) =>
      resolve({ code: Number(error?.code ?? 0), printed, said }),
    );
  });
}

function write(name: string, records: readonly object[]): string {
  mkdirSync(join(work, name));
  const path = join(work, name, 'train.jsonl');
  writeFileSync(path, records.map((record) => JSON.stringify(record)).join('\n'));
  return path;
}

/** What the example's comment says to put into the operator's file. */
function sectionsOfExample(): { datasets: Record<string, object> } & Record<string, object> {
  const comment = readFileSync(EXAMPLE, 'utf8')
    .split('\n')
    .filter((line) => /^# {3}(?!npx)/.test(line));
  return parse(comment.map((line) => line.slice(4)).join('\n')) as ReturnType<typeof sectionsOfExample>;
}

describe('examples/hotpotqa-local.yaml', () => {
  const stacks: SupervisedStack[] = [];
  afterAll(() => Promise.all(stacks.map((stack) => stack.remove())));

  it('trains on fifty questions made in the form of HotpotQA, as its comment says, and finds passages', async () => {
    const questions = madeQuestions(50).map(({ _id: id, context, ...rest }) => ({
      id,
      ...rest,
      context: { title: context.map(([title]) => title), sentences: context.map(([, sentences]) => sentences) },
    }));
    const path = write('hotpotqa', questions);
    const built = await index([path, '--name', 'hotpotqa']);
    expect(built).toMatchObject({ code: 0, said: expect.stringContaining('more were repeated') });
    const { passages } = parse(built.printed) as { passages: { index: string } };
    expect(passages).toEqual({ index: join(work, 'data/passages/hotpotqa') });

    const sections = sectionsOfExample();
    const dataset = { ...sections.datasets['hotpotqa-train'], path, held_out: 5 };
    const stack = new SupervisedStack({
      ...sections,
      datasets: { 'hotpotqa-train': dataset },
      passages: { ...sections['passages'], ...passages },
    });
    stacks.push(stack);
    await stack.start();
    const client = await stack.client();

    const example = parse(readFileSync(EXAMPLE, 'utf8')) as { training: object; evaluation: object };
    const small = {
      ...example,
      steps: 1,
      training: { ...example.training, queries_per_step: 2, group_size: 2 },
      evaluation: { ...example.evaluation, questions: 2, every: 1 },
    };
    const { id } = await client.createRun({ body: JSON.stringify(small), contentType: 'application/json' });
    const ended = async () => !['queued', 'running'].includes((await client.getRun(id)).status);
    await until(`${id} has ended`, ended, 250);
    expect(await client.getRun(id)).toMatchObject({ status: 'completed', step: 1 });

    const rollouts = await client.listRollouts({ run_id: id });
    const recorded = await Promise.all(rollouts.map((rollout) => client.getRollout(rollout.id)));
    expect(JSON.stringify(recorded)).toMatch(/is a novel by|was a novelist and teacher/);
  });
});

describe('I8: agentflow passages index', () => {
  it('leaves no index when it is killed, and builds it when it is run again', async () => {
    const long = 'word '.repeat(100);
    const records = Array.from({ length: 50_000 }, (_, number) => ({ title: `Number ${number}`, text: long + number }));
    const path = write('killed', records);
    const at = join(work, 'killed-index');
    const child = spawn(process.execPath, command(path, '--to', at), { stdio: 'ignore' });
    await until('the engine writes', async () => existsSync(join(`${at}.unfinished`, 'engine/meta.json')), 5);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(existsSync(at)).toBe(false);
    await until('it can be built again', async () => (await index([path, '--to', at])).code === 0);
    expect(await index([path, '--to', at])).toMatchObject({ code: 0, said: expect.stringContaining('50000 passages') });
    expect(existsSync(`${at}.unfinished`)).toBe(false);
  });

  it('keeps what was embedded when it is killed, and goes on there', async () => {
    const records = Array.from({ length: 1_000 }, (_, number) => ({
      title: `Number ${number}`,
      text: `text ${number}`,
    }));
    const path = write('embedded', records);
    const at = join(work, 'embedded-index');
    const server = await EmbeddingServer.start();
    const operator = join(work, 'operator.yaml');
    const common = parse(readFileSync(join(PROJECT_ROOT, 'test/support/operator.yaml'), 'utf8')) as object;
    const embeddings = { url: server.url, model: 'counter', passage_prefix: 'passage: ' };
    writeFileSync(operator, stringify({ ...common, embeddings }));
    const env = { AGENTFLOW_OPERATOR_FILE: operator };
    const child = spawn(process.execPath, command(path, '--to', at, '--dense', 'float16'), {
      stdio: 'ignore',
      env: { ...process.env, ...env },
    });
    await until('half of them are embedded', async () => server.inputs.length >= 16, 5);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(existsSync(at)).toBe(false);
    const again = ['--to', at, '--dense', 'float16'];
    await until('it can be built again', async () => (await index([path, ...again], env)).code === 0);
    const texts = server.inputs.flat();
    expect(new Set(texts).size).toBe(1_000);
    expect(texts.length).toBeLessThan(1_500);
    expect(await index([path, ...again], env)).toMatchObject({
      code: 0,
      printed: `passages: { index: ${at}, search: dense }\n`,
      said: expect.stringContaining('1000 passages, embedded by counter in 64 dimensions'),
    });
    expect(readdirSync(work).filter((name) => name.endsWith('.vectors'))).toEqual([]);
    await server.stop();
  });

  it('says what is wrong with its arguments and files', async () => {
    const path = write('wrong', [{ id: 1, body: 'text' }]);
    expect(await index([path])).toMatchObject({ code: 1, said: expect.stringContaining('Say either --name or --to.') });
    expect(await index([path, '--name', '../x'])).toMatchObject({
      code: 1,
      said: expect.stringContaining('--name must be'),
    });
    expect(await index([path, '--name', 'x', '--dense', 'float32'])).toMatchObject({
      code: 1,
      said: expect.stringContaining('has no section embeddings, which names the model'),
    });
    expect(await index([path, '--name', 'x'])).toMatchObject({
      code: 1,
      said: expect.stringMatching(/record 1: has no contents or text or context[^]*no passage in these files/),
    });
  });
});
