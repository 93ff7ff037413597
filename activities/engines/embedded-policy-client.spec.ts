import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FailureType } from '../../contracts/failures.js';
import { isOutage } from '../failures/outage.js';
import { EmbeddedPolicyClient } from './embedded-policy-client.js';
import type { CompletionRequest } from './policy-client.js';

const SHA = 'a'.repeat(64);
const request: CompletionRequest = {
  model: 'run-1@3',
  policySha256: SHA,
  messages: [{ role: 'user', content: 'hi' }],
  maxTokens: 4,
  temperature: 0.7,
  seed: '18446744073709551615',
  flowId: 'run-1/4/0/0',
  turn: 1,
};

function answer(overrides: Record<string, unknown> = {}, choice: Record<string, unknown> = {}) {
  const first = { message: { content: 'Hi' }, finish_reason: 'stop', token_ids: [5, 2], token_logprobs: [-0.5, -1] };
  return { policy_sha256: SHA, prompt_token_ids: [1, 2, 3], choices: [{ ...first, ...choice }], ...overrides };
}

describe('EmbeddedPolicyClient', () => {
  let server: Server;
  let client: EmbeddedPolicyClient;
  let url: string;
  let seen: Record<string, unknown>;
  let reply: { status: number; body: string } | 'hang' | 'break';
  const respond = (status: number, body: unknown) => (reply = { status, body: JSON.stringify(body) });
  const complete = (signal = new AbortController().signal) => client.complete(request, signal);

  beforeAll(async () => {
    server = createServer((incoming, outgoing) => {
      void readJson(incoming).then((body) => {
        seen = body;
        if (reply === 'hang') return;
        if (reply === 'break') return outgoing.destroy();
        outgoing.writeHead(reply.status, { 'content-type': 'application/json' }).end(reply.body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    client = new EmbeddedPolicyClient(url);
    respond(200, answer());
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('I16: reads no answer without end, and takes it for one that cannot be used', async () => {
    reply = { status: 200, body: ' '.repeat(33 * 1024 * 1024) };
    const error = await complete().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      name: 'PolicyServerAnswerInvalid',
      message: "The policy server's answer cannot be used: it is larger than the 33554432 bytes that are accepted",
    });
    expect(isOutage(error)).toBe(false);
  });

  it('sends everything that decides the sample, and returns it as it was sampled', async () => {
    expect(await complete()).toEqual({
      text: 'Hi',
      finishReason: 'stop',
      promptTokenIds: [1, 2, 3],
      responseTokenIds: [5, 2],
      logprobs: [-0.5, -1],
      policySha256: SHA,
    });
    expect(seen).toEqual({
      model: 'run-1@3',
      policy_sha256: SHA,
      messages: request.messages,
      max_tokens: 4,
      temperature: 0.7,
      seed: '18446744073709551615',
      logprobs: true,
      return_token_ids: true,
      metadata: { flow_id: 'run-1/4/0/0', turn: 1 },
    });
  });

  it('makes a text storable without touching its token ids', async () => {
    respond(200, answer({}, { message: { content: 'a\0b\ud800c' } }));
    expect((await complete()).text).toBe('a\uFFFDb\uFFFDc');
  });

  it.each([
    ['another policy (I11)', answer({ policy_sha256: 'b'.repeat(64) })],
    ['fewer log-probs than tokens (I1)', answer({}, { token_logprobs: [-0.5] })],
    ['more tokens than asked for', answer({}, { token_ids: [1, 2, 3, 4, 5], token_logprobs: [0, 0, 0, 0, 0] })],
    ['no token', answer({}, { token_ids: [], token_logprobs: [] })],
    ['no log-prob that is a number', answer({}, { token_logprobs: [null, -1] })],
    ['nothing', 'not an object'],
  ])('does not use an answer of %s', async (_, body) => {
    respond(200, body);
    await expect(complete()).rejects.toThrow(expect.objectContaining({ name: 'PolicyServerAnswerInvalid' }));
  });

  it.each([
    [409, undefined],
    [500, 'internal_error'],
    [503, undefined],
  ])('leaves %i %s to be retried', async (status, code) => {
    respond(status, { error: { message: 'not now', code } });
    await expect(complete()).rejects.toThrow(expect.objectContaining({ name: 'PolicyServerUnavailable' }));
  });

  it.each([
    [409, 'policy_not_loaded'],
    [500, 'non_finite_logits'],
  ])('I14: %i %s is about the policy: not an outage, and it says what is lost', async (status, code) => {
    respond(status, { error: { message: 'policy run-a@3 cannot be loaded: no manifest', code } });
    const error = await complete().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ failsAs: FailureType.PolicyUnusable, message: expect.stringContaining('run-a@3') });
    expect(isOutage(error)).toBe(false);
  });

  it.each([
    [400, 'context_length_exceeded', 'PromptTooLong'],
    [400, 'invalid_request_error', 'BadConfiguration'],
    [404, 'model_not_found', 'BadConfiguration'],
  ])('fails for good with %i %s: %s', async (status, code, type) => {
    respond(status, { error: { message: 'no', code } });
    await expect(complete()).rejects.toThrow(expect.objectContaining({ type, nonRetryable: true }));
  });

  it('leaves a broken connection and a server that is away to be retried', async () => {
    reply = 'break';
    await expect(complete()).rejects.toThrow(expect.objectContaining({ name: 'PolicyServerUnavailable' }));
    client = new EmbeddedPolicyClient('http://127.0.0.1:65535');
    await expect(complete()).rejects.toThrow(/did not answer: .*ECONNREFUSED/);
  });

  it('ends with the reason of a cancelled activity', async () => {
    reply = 'hang';
    const controller = new AbortController();
    const running = complete(controller.signal);
    setTimeout(() => controller.abort(new Error('cancelled')), 20);
    await expect(running).rejects.toThrow('cancelled');
  });
});

async function readJson(incoming: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
}
