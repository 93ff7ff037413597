import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import OpenAI from 'openai';
import type { ApiClient } from '../cli/client/api-client.js';
import type { AgentFlow } from '../cli/client/api-types.js';
import { readLocalApi } from '../infra/database/api-keys.js';
import { PROJECT_ROOT } from '../infra/config/project-root.js';
import { PYTHON } from '../infra/local/installed.js';
import { SupervisedStack, until } from './support/supervised-stack.js';

jest.setTimeout(600_000);

const PAGE = readFileSync(join(PROJECT_ROOT, 'docs/openai.md'), 'utf8');
const QUESTION = 'What is the area of Mordby times 7?';

const TINY_RUN = JSON.stringify({
  model: 'tiny-random',
  steps: 1,
  training: { queries_per_step: 1, group_size: 2 },
  evaluation: { questions: 2, yardsticks: false },
});

/** Blocks of the page in a language. */
const blocks = (language: string) =>
  [...PAGE.matchAll(/```(\w*)\n([^]*?)```/g)].flatMap(([, of, code]) => (of === language ? [code] : []));

describe('a trained policy, asked by clients of OpenAI', () => {
  const stack = new SupervisedStack();
  let api: ApiClient;
  let client: OpenAI;
  let environment: { OPENAI_BASE_URL: string; OPENAI_API_KEY: string };
  let run: string;

  beforeAll(async () => {
    await stack.start();
    api = await stack.client();
    const { url, key } = (await readLocalApi(join(stack.data, 'api.json')))!;
    environment = { OPENAI_BASE_URL: `${url}/openai/v1`, OPENAI_API_KEY: key };
    client = new OpenAI({ baseURL: environment.OPENAI_BASE_URL, apiKey: key });
    run = (await api.createRun({ body: TINY_RUN, contentType: 'application/json' })).id;
    await until('the run is finished', async () => (await api.getRun(run)).status === 'completed');
  });
  afterAll(() => stack.remove());

  /** Newest first. */
  const flows = async (): Promise<AgentFlow[]> => {
    const headers = { Authorization: `Bearer ${environment.OPENAI_API_KEY}` };
    const response = await fetch(`${stack.urls!.api}/v1/agent_flows?limit=100`, { headers });
    return ((await response.json()) as { data: AgentFlow[] }).data;
  };

  it('is listed with its aliases', async () => {
    const { data } = await client.models.list();
    const ids = data.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining([`${run}@1`, `${run}@0`, `${run}@latest`, `${run}@best`]));
  });

  it('answers with one flow, which it names, and with the tokens that were sampled for it', async () => {
    const messages = [{ role: 'user' as const, content: QUESTION }];
    const completion = await client.chat.completions.create({ model: `${run}@latest`, messages });
    expect(completion.model).toBe(`${run}@1`);
    const flow = await api.getFlow(completion.id);
    expect(flow).toMatchObject({ status: 'completed', policy: `${run}@1`, question: QUESTION });
    expect(completion.choices[0].message.content).toBe(flow.answer);
    expect(completion.usage).toMatchObject({
      prompt_tokens: flow.usage.prompt_tokens,
      completion_tokens: flow.usage.completion_tokens,
    });
    expect(completion.usage?.completion_tokens).toBeGreaterThan(0);
  });

  it('is sampled by itself, without a flow, under its sha256', async () => {
    const messages = [{ role: 'user' as const, content: QUESTION }];
    const sampling = { model: `policy:${run}@1`, messages, temperature: 0.5, seed: 3, max_tokens: 5 };
    const completion = await client.chat.completions.create(sampling);
    expect(completion.usage?.completion_tokens).toBeLessThanOrEqual(5);
    const [{ policy_sha256 }] = await flows();
    expect(completion).toMatchObject({ policy_sha256 });
    const refused = client.chat.completions.create({ ...sampling, top_p: 0.5 });
    await expect(refused).rejects.toMatchObject({ status: 400, code: 'invalid_value' });
  });

  it.each([
    ['Python', 'python', 1, (code: string) => [PYTHON, '-c', code]],
    ['Node', 'js', 2, (code: string) => [process.execPath, '--input-type=module', '-e', code]],
    ['the shell', 'sh', 1, (code: string) => ['bash', '-e', '-c', code.replace(/^export .*$/gm, '')]],
  ])('is asked by the examples of docs/openai.md in %s', async (_, language, count, command) => {
    expect(blocks(language)).toHaveLength(count);
    for (const code of blocks(language)) {
      const before = (await flows()).length;
      const [program, ...args] = command(code.replaceAll('RUN@', `${run}@`));
      const { stdout } = await promisify(execFile)(program, args, {
        cwd: PROJECT_ROOT,
        env: { ...process.env, ...environment },
      });
      const after = await flows();
      expect(after.length).toBeGreaterThan(before);
      expect(after[0]).toMatchObject({ status: 'completed', question: QUESTION });
      expect(stdout).not.toBe('');
    }
  });
});
