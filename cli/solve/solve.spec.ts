import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AgentFlow } from '../../infra/database/entities/index.js';
import { writeFlowStatus } from '../../infra/database/flow-status.js';
import { until } from '../../test/support/started-run.js';
import { MAX_IMAGE_BYTES } from '../../contracts/images.js';
import { addTurns, RESULT } from '../../api/agent-flows/testing/flow-rows.js';
import { OPERATOR } from '../../api/dependencies.module.js';
import { runCli, type CliOutcome } from '../testing/test-cli.js';
import { TestApi } from '../../api/testing/test-api.js';

describe('agentflow solve', () => {
  let api: TestApi;
  let directory: string;

  beforeAll(async () => {
    api = await TestApi.start();
    directory = await mkdtemp(join(tmpdir(), 'agentflow-solve-'));
  });
  afterAll(async () => {
    await api.stop();
    await rm(directory, { recursive: true });
  });

  const cli = (...args: string[]): Promise<CliOutcome> => runCli({ url: api.url, key: api.key }, 'solve', ...args);
  const flows = () => api.database.dataSource.getRepository(AgentFlow);

  /** Asks, and answers as the agent worker would. */
  async function solve(question: string, ...args: string[]): Promise<CliOutcome & { id: string }> {
    const watching = cli(question, ...args);
    await until(async () => (await flows().findOneBy({ question })) !== null);
    const { id } = await flows().findOneByOrFail({ question });
    const { dataSource } = api.database;
    await writeFlowStatus(dataSource, { flowId: id, version: 1, status: 'running' });
    await addTurns(dataSource, id);
    await writeFlowStatus(dataSource, {
      flowId: id,
      version: 2,
      status: 'completed',
      result: { ...RESULT, flowId: id },
    });
    return { ...(await watching), id };
  }

  it('prints what happens as it happens, and says how to see it again', async () => {
    const { lines, notes, id, exitCode } = await solve('What is the area of Hexley times 7?');
    expect(lines).toEqual([
      'asked      smollm2-135m-instruct, at most 3 turns',
      'analysis   a product',
      'turn 1     lookup: area of Hexley',
      '  call     {"query":"area of Hexley"}',
      '  result   4312',
      '  verdict  CONTINUE: compute',
      'turn 2     ?',
      '  mistake  no tool named',
      '  verdict  STOP: it will do',
      'answer     30184',
      'completed  answered',
    ]);
    expect(notes).toEqual([expect.stringContaining(`npx agentflow solve --id ${id}`)]);
    expect(exitCode).toBe(0);
    expect((await cli('--id', id)).lines).toEqual(lines);
  });

  it('--json: the last line of standard output is one JSON object', async () => {
    const { lines, id } = await solve('Is it JSON?', '--json');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0])).toEqual({
      id,
      status: 'completed',
      outcome: 'answered',
      answer: '30184',
      turns: 2,
      usage: { calls: 2, prompt_tokens: 13, completion_tokens: 4, cost: 0.25, seconds: 2 },
    });
  });

  it('asks as a file says, but for what the command line says', async () => {
    const file = join(directory, 'ask.yaml');
    await writeFile(file, 'model: tiny-random\nmax_turns: 9\nseed: 4\nflow: { tools: [lookup] }\n');
    const { id } = await solve('Is it overruled?', '--config', file, '--max-turns', '2');
    const { model, seed, config } = await flows().findOneByOrFail({ id });
    expect({ model, seed, config }).toMatchObject({
      model: 'tiny-random',
      seed: 4,
      config: { max_turns: 2, tools: ['lookup'] },
    });
  });

  it('sends pictures, each with the type that its content has', async () => {
    const operator = api.app.get<{ language_models: Record<string, unknown> }>(OPERATOR);
    operator.language_models['seeing'] = { images: true };
    const config = join(directory, 'see.yaml');
    await writeFile(config, 'model: tiny-random\nflow: { verifier: { engine: llm, model: seeing } }\n');
    const [png, gif] = [join(directory, 'a.jpg'), join(directory, 'b')];
    await writeFile(png, Buffer.from('89504e470d0a1a0a00', 'hex'));
    await writeFile(gif, 'GIF89a');
    const { id } = await solve('What is seen?', '--config', config, '--image', png, '--image', gif);
    delete operator.language_models['seeing'];
    const { images } = await flows().findOneByOrFail({ id });
    expect(images.map(({ mediaType }) => mediaType)).toEqual(['image/png', 'image/gif']);
    expect(await readFile(new URL(images[1].uri), 'utf8')).toBe('GIF89a');
  });

  it('sends no picture that is too large, no picture, not there, or one too many', async () => {
    const [large, words] = [join(directory, 'large.png'), join(directory, 'words.png')];
    await writeFile(large, Buffer.alloc(MAX_IMAGE_BYTES + 1));
    await writeFile(words, 'not a picture');
    const asked = await flows().count();
    const sending = (...files: string[]) => cli('Why?', ...files.flatMap((file) => ['--image', file]));
    await expect(sending(large)).rejects.toThrow(/large\.png: .*4194305 bytes, more than 4194304/);
    await expect(sending(words)).rejects.toThrow(/words\.png: is no picture of image\/png, image\/jpeg/);
    await expect(sending(directory)).rejects.toThrow(/cannot be sent/);
    await expect(sending('none.png')).rejects.toThrow(/none\.png: .*no such file/);
    await expect(sending(words, words, words, words, words)).rejects.toThrow(/at most 4 pictures, and these are 5/);
    expect(await flows().count()).toBe(asked);
  });

  it('tells by the exit code that there is no answer', async () => {
    const { id } = await solve('Does it end?');
    await flows().update({ id }, { status: 'failed', failure: { type: 'BudgetSpent', message: '10 calls' } });
    const { lines, exitCode } = await cli('--id', id);
    expect(lines.at(-1)).toBe('failed     BudgetSpent: 10 calls');
    expect(exitCode).toBe(1);
  });

  it('stops watching a flow that is paused, says how it goes on, and lets it go on', async () => {
    const { id } = await solve('Is it paused?');
    const failure = { type: 'BudgetSpent', message: '3 of 3 calls' };
    await flows().update({ id }, { status: 'paused', pausedAt: new Date(), finishedAt: null, failure });
    const { lines, notes, exitCode } = await cli('--id', id);
    expect(lines.at(-1)).toBe('paused     BudgetSpent: 3 of 3 calls');
    expect(notes.at(-1)).toContain(`npx agentflow solve --id ${id} --resume`);
    expect(exitCode).toBe(1);
    expect(JSON.parse((await cli('--id', id, '--json')).lines[0])).toMatchObject({ status: 'paused', failure });
    api.workflows.resumed = () =>
      flows().update({ id }, { status: 'completed', finishedAt: new Date(), failure: null });
    const resumed = await cli('--id', id, '--resume');
    expect([resumed.lines.at(-1), resumed.exitCode]).toEqual(['completed  answered', 0]);
  });

  it('cancels', async () => {
    const { id } = await solve('Is it cancelled?');
    await flows().update({ id }, { status: 'running', finishedAt: null });
    const cancelling = cli('--id', id, '--cancel');
    await until(async () => api.workflows.calls.some(([verb]) => verb === 'cancel'));
    await flows().update({ id }, { status: 'cancelled', finishedAt: new Date() });
    expect((await cancelling).lines.at(-1)).toBe('cancelled');
  });

  it.each([
    ['neither a question nor an id', [], /Give a question/],
    ['both', ['Why?', '--id', 'flow-a'], /Give a question/],
    ['a cancellation of nothing', ['Why?', '--cancel'], /needs --id/],
    ['a resumption of nothing', ['Why?', '--resume'], /needs --id/],
    ['a file that is not there', ['Why?', '--config', 'none.yaml'], /cannot be read/],
    ['a flow that is not there', ['--id', 'flow-none'], /no agent flow "flow-none"/],
    ['a policy that is not there', ['Why?', '--policy', 'run-none@1'], /no policy "run-none@1"/],
  ])('says what is wrong with %s', async (_, args, message) => {
    await expect(cli(...args)).rejects.toThrow(message);
  });
});
