import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { writePolicy, type WrittenPolicy } from '../../../test/support/policy-directories.js';
import { probeReference } from '../../../test/support/probe-reference.js';
import { VllmServer } from '../../../test/support/vllm-server.js';
import type { CompletionRequest } from '../policy-client.js';
import { VllmPolicyClient } from './vllm-policy-client.js';

const LOAD = 'POST /v1/load_lora_adapter';
const UNLOAD = 'POST /v1/unload_lora_adapter';
const CHAT = 'POST /v1/chat/completions';
const CONTEXT = 200;
const reference = probeReference();

describe('VllmPolicyClient', () => {
  let root: string;
  let server: VllmServer;
  let client: VllmPolicyClient;

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'vllm-client-'));
    server = await new VllmServer().start();
    client = connect();
    await client.verify();
    server.forgetCalls();
  });
  afterEach(async () => {
    server.stop();
    await client.close();
    rmSync(root, { recursive: true, force: true });
  });

  function connect(overrides: { key?: string; adapters?: number } = {}): VllmPolicyClient {
    const artifacts = pathToFileURL(root).href;
    return new VllmPolicyClient({ url: server.url, artifacts, reference, context: CONTEXT, adapters: 2, ...overrides });
  }
  const policyAt = (step: number, content = {}): WrittenPolicy => writePolicy(root, 'run-1', step, content);
  const ask = (policy: { name: string; sha256: string }, overrides: Partial<CompletionRequest> = {}) => {
    const messages = [{ role: 'user' as const, content: 'hi' }];
    const asked = { model: policy.name, policySha256: policy.sha256, messages, maxTokens: 8, temperature: 1 };
    const request = { ...asked, seed: '18446744073709551615', flowId: 'run-1/1/0/0', turn: 1, ...overrides };
    return client.complete(request, new AbortController().signal);
  };
  const base = { name: 'tiny-random', sha256: reference.model_sha256 };
  const served = ({ name, sha256 }: WrittenPolicy) => `${name}-${sha256}`;
  /** Lets the last chat completion be answered by another body, when it is asked again. */
  const answerWith = async (change: (body: ChatBody) => unknown) => {
    const body = JSON.stringify(server.chats.at(-1));
    const response = await fetch(`${server.url}/v1/chat/completions`, { method: 'POST', body });
    const changed = change((await response.json()) as ChatBody);
    server.replies.set('/v1/chat/completions', [{ status: 200, body: changed }]);
  };

  describe('a request', () => {
    it('samples by temperature alone, each neutral parameter sent (I7), and names its policy (I11)', async () => {
      const policy = policyAt(0);
      await ask(policy);
      expect(server.chats).toEqual([
        {
          model: served(policy),
          messages: [{ role: 'user', content: 'hi' }],
          max_tokens: 8,
          temperature: 1,
          top_p: 1,
          top_k: 0,
          min_p: 0,
          repetition_penalty: 1,
          presence_penalty: 0,
          frequency_penalty: 0,
          seed: 2 ** 53 - 1,
          cache_salt: policy.sha256,
          n: 1,
          stream: false,
          stop: [],
          stop_token_ids: [],
          ignore_eos: false,
          min_tokens: 0,
          add_generation_prompt: true,
          skip_special_tokens: true,
          include_stop_str_in_output: false,
          logprobs: true,
          top_logprobs: 0,
          return_token_ids: true,
          return_tokens_as_token_ids: true,
        },
      ]);
    });

    it('gives the tokens as sampled, with their log-probs at the temperature (I1)', async () => {
      const answer = await ask(policyAt(0), { temperature: 0.7 });
      expect(answer.promptTokenIds.length).toBeGreaterThan(3);
      expect(answer.logprobs).toHaveLength(answer.responseTokenIds.length);
      expect(answer.text.length).toBeGreaterThan(0);
      expect(await ask(policyAt(0), { temperature: 0.7 })).toEqual(answer);
      expect(await ask(policyAt(0), { temperature: 0.7, seed: '5' })).not.toEqual(answer);
    });

    it('is answered by the weights of its policy', async () => {
      const answers = await Promise.all([0, 1].map((step) => ask(policyAt(step), { temperature: 0 })));
      expect(answers[0].responseTokenIds).not.toEqual(answers[1].responseTokenIds);
      expect(answers[0].policySha256).toBe(policyAt(0).sha256);
    });

    it('for the base model goes to its served name, and gives the sha256 of the reference', async () => {
      const answer = await ask(base, { policySha256: undefined });
      expect(answer.policySha256).toBe(reference.model_sha256);
      expect(server.chats[0].model).toBe('served/model');
      await expect(ask(base, { model: 'other' })).rejects.toThrow('vLLM serves tiny-random, and other was asked for');
    });

    it('is refused at a temperature that vLLM would change (I7)', async () => {
      await expect(ask(base, { temperature: 0.001 })).rejects.toThrow('vLLM would sample at 0.01');
      await ask(base, { temperature: 0 });
    });

    it('is refused without the sha256 of its policy (I11)', async () => {
      await expect(ask(policyAt(0), { policySha256: undefined })).rejects.toThrow('without its sha256');
    });
  });

  describe('an answer', () => {
    const broken: [string, (body: ChatBody) => unknown, string][] = [
      ['of another model', (body) => ({ ...body, model: 'run-1@9-ff' }), 'it answered as run-1@9-ff'],
      ['with a log-prob too few', (body) => (body.choices[0].logprobs.content.pop(), body), '7 log-probs'],
      ['with a token too few', (body) => (body.choices[0].token_ids.pop(), body), '7 tokens'],
      ['that counts otherwise', (body) => ({ ...body, usage: { completion_tokens: 3 } }), '3 counted'],
      [
        "with another token's log-prob",
        (body) => ((body.choices[0].logprobs.content[2].token = 'token_id:63'), body),
        'its log-prob is that of token_id:63',
      ],
      [
        'with a token that could not be sampled',
        (body) => ((body.choices[0].logprobs.content[0].logprob = -9999), body),
        'choices.0.logprobs.content.0.logprob',
      ],
      ['that was aborted', (body) => ((body.choices[0].finish_reason = 'abort'), body), 'finish_reason'],
      ['without token ids', (body) => ({ ...body, prompt_token_ids: null }), 'vLLM >= 0.10.2'],
      ['that is nothing', () => 'nothing', 'expected object'],
    ];
    it.each(broken)('%s is not used, and the call is tried again later (I1, I11)', async (_, change, reason) => {
      const policy = policyAt(0);
      await ask(policy, { seed: '3' });
      await answerWith(change);
      const refused = ask(policy, { seed: '3' });
      await expect(refused).rejects.toThrow(expect.objectContaining({ name: 'PolicyServerAnswerInvalid' }));
      await expect(refused).rejects.toThrow(reason);
      await ask(policy);
    });

    it('that the context cut short is no answer, whatever the server made of it', async () => {
      await server.restart({ maxModelLen: CONTEXT });
      const long = [{ role: 'user' as const, content: 'x'.repeat(180) }];
      await expect(ask(base, { messages: long, maxTokens: 8 })).rejects.toThrow(
        expect.objectContaining({ type: 'PromptTooLong', nonRetryable: true }),
      );
      const tooLong = [{ role: 'user' as const, content: 'x'.repeat(400) }];
      await expect(ask(base, { messages: tooLong })).rejects.toThrow(
        expect.objectContaining({ type: 'PromptTooLong' }),
      );
    });

    it('that a default of the server cut short is no answer', async () => {
      const policy = policyAt(0);
      await ask(policy);
      server.options.generationConfig = { max_new_tokens: 2 };
      await expect(ask(policy, { temperature: 1.5 })).rejects.toThrow(/at 2 of 8 tokens: start it with --generation/);
    });

    it.each([
      ["This model's maximum context length is 512 tokens. However, you requested 600 tokens", undefined],
      ['The decoder prompt (length 900) is longer than the maximum model length of 512.', undefined],
      ['whatever a later version says', 'input_tokens'],
    ])('that says the prompt is too long is PromptTooLong: %s', async (message, param) => {
      server.replies.set('/v1/chat/completions', [{ status: 400, body: { error: { message, param, code: 400 } } }]);
      await expect(ask(base)).rejects.toThrow(expect.objectContaining({ type: 'PromptTooLong', message }));
    });

    it('I14: 500 for log-probs that are no numbers is about the policy, and no outage', async () => {
      const message = 'Out of range float values are not JSON compliant: nan';
      server.replies.set('/v1/chat/completions', [{ status: 500, body: { error: { message, code: 500 } } }]);
      const error = await ask(base).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        failsAs: 'PolicyUnusable',
        message: `the policy's logits are not finite: ${message}`,
      });
    });

    it.each([409, 429, 500, 503])('%i is tried again later (I2)', async (status) => {
      server.replies.set('/v1/chat/completions', [{ status, body: { error: { message: 'busy', code: status } } }]);
      await expect(ask(base)).rejects.toThrow(expect.objectContaining({ name: 'PolicyServerUnavailable' }));
    });

    it.each([
      [400, { error: { message: 'bad field', type: 'BadRequestError', code: 400 } }, 'bad field'],
      [400, { object: 'error', message: 'flat form', type: 'BadRequestError', code: 400 }, 'flat form'],
      [404, { detail: 'Not Found' }, 'Not Found'],
    ])('%i fails for good', async (status, body, reason) => {
      server.replies.set('/v1/chat/completions', [{ status, body }]);
      const refused = ask(base);
      await expect(refused).rejects.toThrow(reason);
      await expect(refused).rejects.toThrow(expect.objectContaining({ type: 'BadConfiguration', nonRetryable: true }));
    });

    it('401 waits for the key to be put right', async () => {
      server.replies.set('/v1/chat/completions', [{ status: 401, body: { error: 'Unauthorized' } }]);
      const refused = ask(base);
      await expect(refused).rejects.toThrow('AGENTFLOW_POLICY_SERVER_KEY');
      await expect(refused).rejects.toThrow(expect.objectContaining({ name: 'PolicyServerMisconfigured' }));
    });

    it('that does not come is tried again later', async () => {
      server.replies.set('/v1/chat/completions', ['break']);
      await expect(ask(base)).rejects.toThrow(expect.objectContaining({ name: 'PolicyServerUnavailable' }));
    });
  });

  describe('an adapter', () => {
    it('is loaded once, however many rollouts need it at once', async () => {
      server.options.loadMs = 50;
      const policy = policyAt(3);
      const answers = await Promise.all(Array.from({ length: 64 }, (_, seed) => ask(policy, { seed: String(seed) })));
      expect(server.count(LOAD)).toBe(1);
      expect(server.count(CHAT)).toBe(64);
      expect(new Set(answers.map((answer) => answer.policySha256))).toEqual(new Set([policy.sha256]));
      expect(server.adapters.get(served(policy))?.root).toBe(policy.path);
    });

    it('that a restarted server has lost is loaded once more, after the server was compared again', async () => {
      const policy = policyAt(3);
      await ask(policy);
      await server.restart();
      server.forgetCalls();
      await Promise.all(Array.from({ length: 64 }, (_, seed) => ask(policy, { seed: String(seed) })));
      expect(server.count(LOAD)).toBe(1);
      const probes = 3 * reference.prompts.length;
      expect(server.count(CHAT)).toBeLessThanOrEqual(probes + 2 * 64);
    });

    it('is not asked of a server that was restarted with other flags, until that is mended (I7)', async () => {
      const policy = policyAt(3);
      await ask(policy);
      await server.restart({ logprobsMode: 'raw_logprobs' });
      await expect(ask(policy)).rejects.toThrow('--logprobs-mode processed_logprobs');
      expect(server.adapters.size).toBe(0);
      await server.restart({ logprobsMode: 'processed_logprobs' });
      await ask(policy);
    });

    it('is given up for now when it is lost again and again', async () => {
      server.options.losesAdapters = true;
      await expect(ask(policyAt(3))).rejects.toThrow(expect.objectContaining({ name: 'PolicyServerUnavailable' }));
      expect(server.count(LOAD)).toBe(3);
      server.options.losesAdapters = false;
      await ask(policyAt(3));
    });

    it('stays while calls use it; of the others the least recently used goes', async () => {
      const [first, second, third, fourth] = [1, 2, 3, 4].map((step) => policyAt(step));
      let open: () => void = () => undefined;
      server.gate = new Promise((resolve) => (open = resolve));
      const held = ask(first);
      await until(() => server.count(CHAT) === 1);
      server.gate = Promise.resolve();
      await ask(second);
      await ask(third);
      await ask(fourth);
      await until(() => server.count(UNLOAD) === 2);
      expect([...server.adapters.keys()].sort()).toEqual([served(first), served(fourth)]);
      open();
      await held;
      await ask(second);
      await until(() => server.count(UNLOAD) === 3);
      expect([...server.adapters.keys()].sort()).toEqual([served(second), served(fourth)].sort());
    });

    it('that could not be removed is removed later', async () => {
      const [first, second, third, fourth] = [1, 2, 3, 4].map((step) => policyAt(step));
      await ask(first);
      await ask(second);
      server.replies.set('/v1/unload_lora_adapter', [{ status: 500, body: { error: { message: 'busy' } } }]);
      await ask(third);
      await until(() => server.count(UNLOAD) === 1);
      await ask(fourth);
      await until(() => server.adapters.size === 2);
      expect([...server.adapters.keys()].sort()).toEqual([served(third), served(fourth)].sort());
    });

    it('of an earlier worker is used, and removed in its turn', async () => {
      const [first, second, third] = [1, 2, 3].map((step) => policyAt(step));
      await ask(first);
      client = connect();
      await ask(first);
      expect(server.count(LOAD)).toBe(1);
      await ask(second);
      await ask(third);
      await until(() => server.adapters.size === 2);
      expect(server.adapters.has(served(first))).toBe(false);
    });

    it('that another worker loads at the same time is used', async () => {
      server.options.loadMs = 20;
      const policy = policyAt(1);
      const other = connect();
      await other.verify();
      server.adapters.set(served(policy), { root: policy.path, weights: 'x' });
      await ask(policy);
      server.adapters.set(served(policyAt(2)), { root: '/elsewhere', weights: 'y' });
      await ask(policyAt(2));
      expect(server.adapters.get(served(policyAt(2)))?.root).toBe(policyAt(2).path);
      await other.close();
    });

    it('is loaded for others when the call that asked first is cancelled', async () => {
      server.options.loadMs = 80;
      const policy = policyAt(5);
      const controller = new AbortController();
      const request = { model: policy.name, policySha256: policy.sha256, messages: [], maxTokens: 4, temperature: 1 };
      const cancelled = client.complete({ ...request, seed: '1', flowId: 'f', turn: 1 }, controller.signal);
      await until(() => server.count(LOAD) === 1);
      const other = ask(policy);
      controller.abort(new Error('cancelled'));
      await expect(cancelled).rejects.toThrow('cancelled');
      expect((await other).policySha256).toBe(policy.sha256);
      expect(server.count(LOAD)).toBe(1);
    });
  });

  describe('a load', () => {
    it('is not asked for where the policy is missing or is not what it claims to be (I11)', async () => {
      await expect(ask({ name: 'run-1@7', sha256: 'a'.repeat(64) })).rejects.toThrow(
        expect.objectContaining({ name: 'PolicyNotThere' }),
      );
      const policy = policyAt(1);
      await expect(ask({ ...policy, sha256: 'a'.repeat(64) })).rejects.toThrow(`holds sha256 ${policy.sha256}`);
      writeFileSync(join(policy.path, 'adapter_config.json'), '{}');
      await expect(ask(policy)).rejects.toThrow('is not the file that the manifest names');
      expect(server.count(LOAD)).toBe(0);
      policyAt(1);
      await ask(policy);
    });

    it('of an adapter for another model fails for good (I8)', async () => {
      await expect(ask(policyAt(1, { baseModel: 'other' }))).rejects.toThrow(
        expect.objectContaining({ type: 'WrongIdentity', nonRetryable: true }),
      );
    });

    it('names the flag that the server lacks', async () => {
      await server.restart({ runtimeLora: false });
      await expect(ask(policyAt(1))).rejects.toThrow('VLLM_ALLOW_RUNTIME_LORA_UPDATING=True and --enable-lora');
      await server.restart({ runtimeLora: true, maxLoraRank: 4 });
      await expect(ask(policyAt(1))).rejects.toThrow('raise --max-lora-rank');
      const disabled = { error: { message: 'LoRA is not enabled. Use --enable-lora to enable LoRA.' } };
      server.replies.set('/v1/load_lora_adapter', [{ status: 500, body: disabled }]);
      await expect(ask(policyAt(1))).rejects.toThrow('start it with --enable-lora');
      const unseen = { error: { message: 'Loading lora x failed: No adapter found for /x', type: 'NotFoundError' } };
      server.replies.set('/v1/load_lora_adapter', [{ status: 404, body: unseen }]);
      await expect(ask(policyAt(1))).rejects.toThrow('must be at the same path on its machine');
    });
  });

  it('sends the key that the server wants', async () => {
    await server.restart({ apiKey: 'secret-key' });
    await expect(connect().verify()).rejects.toThrow('AGENTFLOW_POLICY_SERVER_KEY');
    await connect({ key: 'secret-key' }).verify();
  });
});

interface ChatBody {
  model: string;
  choices: {
    finish_reason: string;
    token_ids: number[];
    logprobs: { content: { token: string; logprob: number }[] };
  }[];
}

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; waited < 500 && !condition(); waited += 1) await sleep(10);
  expect(condition()).toBe(true);
}
