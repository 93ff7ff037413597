import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { PROJECT_ROOT } from '../../../infra/config/project-root.js';
import { probeReference } from '../../../test/support/probe-reference.js';
import { VllmServer, type VllmServerOptions } from '../../../test/support/vllm-server.js';
import { readReference } from './probe.js';
import { VllmPolicyClient } from './vllm-policy-client.js';

describe('the probe of a vLLM server (I7)', () => {
  let server: VllmServer;
  const verify = async (options: Partial<VllmServerOptions>, context = 512) => {
    server = await new VllmServer(options).start();
    const [reference, artifacts] = [probeReference(), 'file:///nowhere'];
    const client = new VllmPolicyClient({ url: server.url, artifacts, reference, context, adapters: 2 });
    return client.verify();
  };
  afterEach(() => server.stop());

  it('accepts a server that was started as documented, and asks it once', async () => {
    server = await new VllmServer().start();
    const options = { artifacts: 'file:///nowhere', reference: probeReference(), context: 512, adapters: 2 };
    const client = new VllmPolicyClient({ url: server.url, ...options });
    await Promise.all([client.verify(), client.verify()]);
    await client.verify();
    expect(server.count('POST /v1/chat/completions')).toBe(3 * options.reference.prompts.length);
  });

  const misconfigured: [string, Partial<VllmServerOptions>, string][] = [
    ['log-probs before the temperature', { logprobsMode: 'raw_logprobs' }, '--logprobs-mode processed_logprobs'],
    ["the model's own top-p", { generationConfig: { top_p: 0.8 } }, '--generation-config vllm'],
    ["the model's own top-k", { generationConfig: { top_k: 20 } }, '--generation-config vllm'],
    ["the model's own min-p", { generationConfig: { min_p: 0.1 } }, '--generation-config vllm'],
    ["the model's own repetition penalty", { generationConfig: { repetition_penalty: 1.05 } }, '--generation-config'],
    ['other weights', { weights: 'another model' }, 'it must serve tiny-random'],
    ['no token ids', { returnsTokenIds: false }, 'vLLM >= 0.10.2'],
    ['too few log-probs', { maxLogprobs: 5 }, 'greater than max allowed'],
    ['too short a context', { maxModelLen: 256 }, '--max-model-len of at least 512'],
  ];
  it.each(misconfigured)('refuses a server with %s, and names what to change', async (_, options, flag) => {
    const refused = verify(options);
    await expect(refused).rejects.toThrow(flag);
    await expect(refused).rejects.toThrow(expect.objectContaining({ name: 'PolicyServerMisconfigured' }));
  });

  it('refuses a server that renders prompts in another way', async () => {
    server = await new VllmServer().start();
    const reference = probeReference();
    reference.prompts[1].prompt_token_ids.unshift(0);
    const options = { artifacts: 'file:///nowhere', reference, context: 512, adapters: 2 };
    await expect(new VllmPolicyClient({ url: server.url, ...options }).verify()).rejects.toThrow('--chat-template');
  });

  it('reads what flow_grpo/probe.py writes', async () => {
    const path = join(PROJECT_ROOT, 'worker/gpu/tests/fixtures/probe-reference.json');
    const reference = await readReference(path);
    expect(reference.model).toBe('tiny-random');
    expect(reference.prompts.map(({ tokens }) => tokens.length)).toEqual([20, 20, 20, 20, 20]);
    await expect(readReference(join(PROJECT_ROOT, 'package.json'))).rejects.toThrow('format');
  });

  it('asks again when it was refused, so that a server started anew is accepted', async () => {
    server = await new VllmServer({ logprobsMode: 'raw_logprobs' }).start();
    const options = { artifacts: 'file:///nowhere', reference: probeReference(), context: 512, adapters: 2 };
    const client = new VllmPolicyClient({ url: server.url, ...options });
    await expect(client.verify()).rejects.toThrow('processed_logprobs');
    await server.restart({ logprobsMode: 'processed_logprobs' });
    await client.verify();
  });
});
