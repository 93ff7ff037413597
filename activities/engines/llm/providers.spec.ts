import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { LanguageModelRegistration } from '../../../infra/config/operator/language-models.js';
import { isOutage } from '../../failures/outage.js';
import type { LanguageModel, LanguageModelRequest } from './language-model.js';
import { ProviderServer, type Behaviour } from './testing/provider-server.js';
import { openTestModel, testRequest } from './testing/test-model.js';

const KEY = 'marked-provider-key-0123456789';
const key = { env: 'TEST_PROVIDER_KEY' };
const signal = new AbortController().signal;

type Family = [name: string, registration: Record<string, unknown>, path: string, keyHeader: string];

const FAMILIES: Family[] = [
  ['openai', { kind: 'openai', api: 'responses', key }, '/responses', 'authorization'],
  ['openai, chat', { kind: 'openai', api: 'chat', key }, '/chat/completions', 'authorization'],
  ['anthropic', { kind: 'anthropic', key }, '/messages', 'x-api-key'],
  ['google', { kind: 'google', key }, '/models/claude-sonnet-4-5:generateContent', 'x-goog-api-key'],
  ['azure', { kind: 'azure', api: 'responses', key }, '/responses', 'api-key'],
  ['azure, chat', { kind: 'azure', api: 'chat', key }, '/chat/completions', 'api-key'],
  ['xai', { kind: 'xai', key }, '/chat/completions', 'authorization'],
  ['deepseek', { kind: 'deepseek', key }, '/chat/completions', 'authorization'],
  ['together', { kind: 'together', key }, '/chat/completions', 'authorization'],
  ['bedrock', { kind: 'bedrock', region: 'eu-central-1', key }, '/model/claude-sonnet-4-5/converse', 'authorization'],
  [
    'bedrock, signed',
    {
      kind: 'bedrock',
      region: 'eu-central-1',
      key: { access_key_id: { env: 'TEST_ACCESS_KEY' }, secret_access_key: key },
    },
    '/model/claude-sonnet-4-5/converse',
    'authorization',
  ],
  ['openai-compatible', { kind: 'openai-compatible', key }, '/chat/completions', 'authorization'],
];

describe('language models of providers', () => {
  const server = new ProviderServer();
  let address: string;

  beforeAll(async () => {
    process.env.TEST_PROVIDER_KEY = KEY;
    process.env.TEST_ACCESS_KEY = 'AKIA0123456789';
    address = await server.start();
  });
  afterAll(() => server.stop());
  afterEach(() => {
    server.requests.length = 0;
    server.behave = () => ({ kind: 'reply', text: 'Paris' });
  });

  const open = (provider: Record<string, unknown>, changes: Partial<LanguageModelRegistration> = {}) =>
    openTestModel(address, provider, changes);

  const failing = (model: LanguageModel, changes: Partial<LanguageModelRequest> = {}) =>
    model.generate(testRequest(changes), signal).then(
      () => undefined,
      (error: unknown) => error,
    );

  describe.each(FAMILIES)('%s', (_, provider, path, keyHeader) => {
    it('asks in the provider’s protocol, and reads text, end, usage and cost', async () => {
      const reply = await open(provider).generate(testRequest(), signal);
      expect(reply).toMatchObject({ text: 'Paris', finishReason: 'stop', inputTokens: 12, outputTokens: 3 });
      expect(reply.cost).toBeCloseTo((12 * 2 + 3 * 10) / 1e6, 12);
      const [{ path: asked, headers, body }] = server.requests;
      expect(asked.split('?')[0]).toBe(path);
      expect(headers[keyHeader]).toBeTruthy();
      const text = JSON.stringify(body);
      for (const part of ['Answer in one word.', 'What is the capital of France?', '0.5', '64'])
        expect(text).toContain(part);
    });

    it('waits as long as a 429 asks for, and leaves the retry to Temporal', async () => {
      server.behave = () => ({ kind: 'refuse', status: 429, headers: { 'retry-after': '7' } });
      const error = await failing(open(provider));
      expect(error).toMatchObject({ type: 'ProviderUnavailable', nonRetryable: false, nextRetryDelay: 7000 });
      expect(server.requests).toHaveLength(1);
    });

    it.each([500, 503, 408, 409])('takes a %d for an outage (I2)', async (status) => {
      server.behave = () => ({ kind: 'refuse', status });
      expect(await failing(open(provider))).toMatchObject({ type: 'ProviderUnavailable', nonRetryable: false });
      expect(server.requests).toHaveLength(1);
    });

    it.each(['garbage', 'half'] as const)('takes %s for an outage, never for a reply', async (kind) => {
      server.behave = () => ({ kind });
      expect(await failing(open(provider))).toMatchObject({ nonRetryable: false });
      expect(server.requests).toHaveLength(1);
    });

    it.each([400, 401, 403, 404, 422])(
      'refuses for good on a %d, without the key in its words (I6)',
      async (status) => {
        server.behave = () => ({ kind: 'refuse', status, body: `{"error":{"message":"bad key ${KEY}"}}` });
        const error = (await failing(open(provider))) as Error;
        expect(error).toMatchObject({ type: 'ProviderRefused', nonRetryable: true });
        expect(error.message).toContain(String(status));
        expect(error.message).not.toContain(KEY);
        expect(error.cause).toBeUndefined();
      },
    );
  });

  it.each([
    [400, "This model's maximum context length is 8192 tokens. However, your messages resulted in 8227 tokens."],
    [400, 'Your input exceeds the context window of this model.'],
    [400, 'prompt is too long: 202609 tokens > 200000 maximum'],
    [400, 'input length and `max_tokens` exceed context limit: 178959 + 64000 > 200000'],
    [400, 'The input token count (1200293) exceeds the maximum number of tokens allowed (1048576).'],
    [400, "This model's maximum prompt length is 131072 but the request contains 136973 tokens."],
    [400, 'Input is too long for requested model.'],
    [422, 'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8192. Given: 6204 `inputs` tokens'],
  ])('tells a prompt that is too long from a refused request: %d, %s', async (status, message) => {
    server.behave = () => ({ kind: 'refuse', status, body: JSON.stringify({ error: { message } }) });
    const failure = await failing(open({ kind: 'openai', api: 'chat', key }));
    expect(failure).toMatchObject({ type: 'PromptTooLong', nonRetryable: true });
  });

  it('takes a reply that may not be so long for a refused request: another prompt would not mend it', async () => {
    const message = 'max_tokens is too large: 65536. This model supports at most 16384 completion tokens.';
    server.behave = () => ({ kind: 'refuse', status: 400, body: JSON.stringify({ error: { message } }) });
    expect(await failing(open({ kind: 'openai', api: 'chat', key }))).toMatchObject({ type: 'ProviderRefused' });
  });

  it.each([301, 302, 303, 307, 308])(
    'follows no redirect: a %s is one request, refused, with the address',
    async (status) => {
      server.behave = () => ({ kind: 'refuse', status, headers: { location: `${address}/elsewhere` } });
      const failure = await failing(open({ kind: 'openai-compatible', key }));
      expect(failure).toMatchObject({ type: 'ProviderRefused', nonRetryable: true });
      expect((failure as Error).message).toContain(`redirects to ${address}/elsewhere (${status})`);
      expect(server.requests).toHaveLength(1);
    },
  );

  it('sends no prompt that has more words than the context has tokens, and any other', async () => {
    const model = open({ kind: 'openai', api: 'chat', key }, { context: 64 });
    const prompt = (words: number) => ({
      messages: [
        { role: 'system' as const, content: 'be brief ' },
        { role: 'user' as const, content: 'a b\n'.repeat((words - 2) / 2) },
      ],
    });
    const failure = await failing(model, prompt(64));
    expect(failure).toMatchObject({ type: 'PromptTooLong', nonRetryable: true });
    expect((failure as Error).message).toMatch(/^m: a prompt of 64 words, .* a context of 64 tokens\.$/);
    expect(server.requests).toHaveLength(0);
    // How many tokens these are is not known here: the provider decides.
    for (const messages of [prompt(62).messages, [{ role: 'user' as const, content: '字'.repeat(10_000) }]]) {
      expect((await model.generate(testRequest({ messages }), signal)).text).toBe('Paris');
    }
    expect(server.requests).toHaveLength(2);
  });

  it('takes a content filter for a reply without text', async () => {
    const message = 'The response was filtered: content_filter';
    server.behave = () => ({ kind: 'refuse', status: 400, body: JSON.stringify({ error: { message } }) });
    const reply = await open({ kind: 'openai', api: 'chat', key }).generate(testRequest(), signal);
    expect(reply).toMatchObject({ text: '', finishReason: 'refused' });
  });

  it('gives a call up after its timeout, and at once when it is cancelled', async () => {
    server.behave = () => ({ kind: 'hang' });
    const model = open({ kind: 'openai', api: 'chat', key });
    expect(await failing(model, { timeoutMs: 50 })).toMatchObject({ type: 'ProviderUnavailable' });
    const cancelled = AbortSignal.abort(new Error('cancelled'));
    await expect(model.generate(testRequest(), cancelled)).rejects.toThrow('cancelled');
  });

  it('takes no answer from a server that is not there for a reply', async () => {
    const model = open({ kind: 'openai-compatible', base_url: 'http://127.0.0.1:65535' });
    expect(await failing(model)).toMatchObject({ type: 'ProviderUnavailable', nonRetryable: false });
  });

  it('shows pictures by their bytes, and sends a seed and a temperature only where they mean something', async () => {
    const image = { uri: 'file:///store/a.png', sha256: 'a'.repeat(64), mediaType: 'image/png' as const };
    const messages = [{ role: 'user' as const, content: 'What is this?', images: [image] }];
    await open({ kind: 'openai', api: 'chat', key }, { images: true }).generate(
      testRequest({ messages, temperature: 0 }),
      signal,
    );
    const [{ body }] = server.requests;
    expect(JSON.stringify(body)).toContain('data:image/png;base64,iVBORw0KGgo=');
    expect(body).not.toHaveProperty('seed');
    await open({ kind: 'openai', api: 'chat', key }, { temperature: false }).generate(testRequest(), signal);
    expect(server.requests[1].body).not.toHaveProperty('temperature');
    await open({ kind: 'openai', api: 'chat', key }).generate(testRequest(), signal);
    expect(server.requests[2].body.seed).toBe(0x7fff_ffff);
  });

  describe('what servers send with status 200', () => {
    const compatible = { kind: 'openai-compatible', key };
    const message = { role: 'assistant', content: 'Paris' };
    const send = (changes: object) => {
      const choices = [{ index: 0, message, finish_reason: 'stop' }];
      const usage = { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 };
      const body = JSON.stringify({
        id: '1',
        object: 'chat.completion',
        created: 1,
        model: 'm',
        choices,
        usage,
        ...changes,
      });
      server.behave = () => ({ kind: 'send', body });
    };
    const CHAT: Family[] = FAMILIES.filter(([, , path]) => path === '/chat/completions');

    it.each(CHAT)('%s: counts of tokens as texts are counts, and a text in parts is one', async (_, provider) => {
      send({ usage: { prompt_tokens: '12', completion_tokens: '3', total_tokens: '15' } });
      const counted = { text: 'Paris', inputTokens: 12, outputTokens: 3 };
      expect(await open(provider).generate(testRequest(), signal)).toMatchObject(counted);
      const content = [
        { type: 'text', text: 'Par' },
        { type: 'text', text: 'is' },
      ];
      send({ choices: [{ index: 0, message: { ...message, content }, finish_reason: 'stop' }] });
      expect(await open(provider).generate(testRequest(), signal)).toMatchObject(counted);
    });

    it.each([
      [{ choices: [] }, /`choices` is empty/],
      [{ choices: undefined }, /choices: /],
      [{ choices: null }, /choices: /],
      [{ usage: { prompt_tokens: 'twelve', completion_tokens: 3 } }, /usage\.prompt_tokens: /],
      [{ error: { message: 'who knows' }, choices: undefined }, /choices: .*who knows/],
      [{ error: 'model overloaded', choices: undefined }, /choices: .*model overloaded/],
    ])('names the provider and what cannot be read: %j', async (changes, what) => {
      send(changes);
      const error = (await failing(open(compatible))) as Error;
      expect(error).toMatchObject({ type: 'ProviderAnswerInvalid', nonRetryable: false });
      expect(error.message).toMatch(/^The answer of the provider p of the language model m cannot be read: /);
      expect(error.message).toMatch(what);
      expect(isOutage(error)).toBe(false);
    });

    it.each([
      [{ message: 'Provider returned error', code: 502 }, 'ProviderUnavailable'],
      [{ message: 'Rate limit exceeded: free-models-per-day', code: '429' }, 'ProviderUnavailable'],
      [{ message: 'busy', type: 'overloaded_error' }, 'ProviderUnavailable'],
      [{ message: 'no such key', code: 401 }, 'ProviderRefused'],
      [{ message: "This model's maximum context length is 8192 tokens.", code: 400 }, 'PromptTooLong'],
    ])('takes an error in the place of a reply, or in its choice, by its own status: %j', async (error, type) => {
      send({ error, choices: undefined });
      expect(await failing(open(compatible))).toMatchObject({ type });
      send({ choices: [{ index: 0, message: { ...message, content: '' }, finish_reason: 'error', error }] });
      expect(await failing(open(compatible))).toMatchObject({ type });
    });

    it.each(FAMILIES)(
      'I16: %s: reads no more of an answer than is accepted, nor of one that is compressed',
      async (_, provider) => {
        const huge = Buffer.alloc(17 * 1024 * 1024, ' ');
        const error = async (behaviour: Behaviour) => {
          server.behave = () => behaviour;
          return failing(open(provider));
        };
        for (const failure of [
          await error({ kind: 'send', body: huge }),
          await error({ kind: 'send', body: gzipSync(huge), headers: { 'content-encoding': 'gzip' } }),
        ]) {
          expect(failure).toMatchObject({
            type: 'ProviderAnswerInvalid',
            message: expect.stringMatching(/larger than the 16777216 bytes/),
          });
          expect(isOutage(failure)).toBe(false);
        }
      },
    );
  });
});
