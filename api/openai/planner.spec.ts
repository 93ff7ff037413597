import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import OpenAI from 'openai';
import { TrainingRun } from '../../infra/database/entities/index.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import { TestApi } from '../testing/test-api.js';

const messages = [{ role: 'user' as const, content: 'What is 2 plus 2?' }];
const SHA256 = 'ab'.repeat(32);

/** A policy server answers here; the real one does in test/openai.spec.ts. */
describe('the planner itself, asked by the official client of Node', () => {
  let server: Server;
  let api: TestApi;
  let client: OpenAI;
  let policy: string;
  let asked: unknown;
  let answer: { status: number; body: object };

  beforeAll(async () => {
    server = createServer((request, response) => {
      void json(request).then((body) => {
        asked = body;
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    api = await TestApi.start({ policyServer: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    client = new OpenAI({ baseURL: `${api.url}/openai/v1`, apiKey: api.key, maxRetries: 0 });
    const run = trainingRunRow();
    await api.database.dataSource.getRepository(TrainingRun).insert(run);
    policy = await api.commitPolicy(run.id, 3, SHA256);
  });
  beforeEach(() => {
    const choice = { index: 0, message: { role: 'assistant', content: 'Calculator: 2 + 2' }, finish_reason: 'stop' };
    const body = { id: 'chatcmpl-1', object: 'chat.completion', created: 0, model: policy, choices: [choice] };
    answer = { status: 200, body: { ...body, policy_sha256: SHA256 } };
  });
  afterAll(async () => {
    await api.stop();
    server.close();
  });

  const sample = (changes = {}) =>
    client.chat.completions.create({ model: `policy:${policy}`, messages, temperature: 0.5, ...changes });

  it('I11: is asked under its name and sha256, with what the client says as it says it', async () => {
    const { choices, model } = await sample({ max_tokens: 9 });
    expect(choices[0].message.content).toBe('Calculator: 2 + 2');
    expect(model).toBe(`policy:${policy}`);
    expect(asked).toEqual({ model: policy, policy_sha256: SHA256, messages, temperature: 0.5, max_tokens: 9 });
  });

  it('is told to be out of reach by an API that was started without a policy server', async () => {
    const alone = await TestApi.start({ policyServer: undefined });
    try {
      const other = new OpenAI({ baseURL: `${alone.url}/openai/v1`, apiKey: alone.key, maxRetries: 0 });
      await expect(other.chat.completions.create({ model: 'policy:run-abc@1', messages })).rejects.toMatchObject({
        status: 503,
        code: 'no_policy_server',
        message: expect.stringContaining('AGENTFLOW_POLICY_SERVER_URL'),
      });
    } finally {
      await alone.stop();
    }
  });

  it('I11: is never another policy', async () => {
    answer.body = { ...answer.body, policy_sha256: 'cd'.repeat(32) };
    await expect(sample()).rejects.toMatchObject({ status: 409, code: 'wrong_policy' });
    await expect(sample({ model: `policy:${policy.replace('@3', '@4')}` })).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
  });

  it.each([
    [409, 'policy_not_loaded', 'model', 'policy x cannot be loaded'],
    [400, 'invalid_value', 'top_p', 'top_p must be 1 or absent'],
  ])('passes on what the policy server refuses: %s %s', async (status, code, param, message) => {
    answer = { status, body: { error: { message, type: 'invalid_request_error', code, param } } };
    await expect(sample()).rejects.toMatchObject({ status, code, param, message: expect.stringContaining(message) });
  });

  it('says that the policy server fails, or does not answer', async () => {
    answer = { status: 500, body: { error: { message: 'nan', type: 'server_error', code: 'non_finite_logits' } } };
    await expect(sample()).rejects.toMatchObject({ status: 503, code: 'policy_server_failed' });
    server.closeAllConnections();
    server.close();
    await expect(sample()).rejects.toMatchObject({ status: 503, code: 'policy_server_unavailable' });
  });
});
