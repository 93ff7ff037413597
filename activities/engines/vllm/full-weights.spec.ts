import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { writePolicy } from '../../../test/support/policy-directories.js';
import { probeReference } from '../../../test/support/probe-reference.js';
import { VllmServer } from '../../../test/support/vllm-server.js';
import { VllmPolicyClient } from './vllm-policy-client.js';

const CHAT = 'POST /v1/chat/completions';
const RELOAD = 'POST /collective_rpc';

describe('policies of whole weights on vLLM', () => {
  let root: string;
  let server: VllmServer;
  let client: VllmPolicyClient;

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'vllm-full-'));
    server = await new VllmServer({ devMode: true }).start();
    client = await connect();
  });
  afterEach(async () => {
    server.stop();
    await client.close();
    rmSync(root, { recursive: true, force: true });
  });

  async function connect(): Promise<VllmPolicyClient> {
    const [reference, artifacts] = [probeReference(), pathToFileURL(root).href];
    const made = new VllmPolicyClient({ url: server.url, artifacts, reference, context: 200, adapters: 2 });
    await made.verify();
    server.forgetCalls();
    return made;
  }
  const policyAt = (step: number) => writePolicy(root, 'run-1', step, { full: true });
  const ask = ({ name, sha256 }: { name: string; sha256?: string }, seed = '1') => {
    const messages = [{ role: 'user' as const, content: 'hi' }];
    const asked = { model: name, policySha256: sha256, messages, maxTokens: 6, temperature: 1, seed };
    return client.complete({ ...asked, flowId: 'f', turn: 1 }, new AbortController().signal);
  };
  const version = ({ name, sha256 }: { name: string; sha256: string }) => `${name}-${sha256}`;

  it('are loaded once for all that wait, the prefix cache emptied before their name is given (I11)', async () => {
    const policy = policyAt(1);
    server.options.loadMs = 50;
    const answers = await Promise.all(Array.from({ length: 16 }, (_, seed) => ask(policy, String(seed))));
    expect(new Set(answers.map((answer) => answer.policySha256))).toEqual(new Set([policy.sha256]));
    const changes = server.calls.filter((call) => call.startsWith('POST') && call !== CHAT);
    expect(changes).toEqual([
      'POST /weight_checker',
      'POST /update_weight_version',
      RELOAD,
      'POST /weight_checker',
      'POST /reset_prefix_cache',
      'POST /update_weight_version',
    ]);
    expect(server.weightVersion).toBe(version(policy));
    expect(server.chats[0]).toMatchObject({ model: 'served/model', cache_salt: policy.sha256 });
  });

  it('change only when no call uses the weights that are there', async () => {
    const [first, second] = [policyAt(1), policyAt(2)];
    await ask(first);
    let open: () => void = () => undefined;
    server.gate = new Promise((resolve) => (open = resolve));
    const slow = ask(first);
    await sleep(20);
    const next = ask(second);
    await sleep(50);
    expect(server.count(RELOAD)).toBe(1);
    open();
    expect((await slow).policySha256).toBe(first.sha256);
    expect((await next).policySha256).toBe(second.sha256);
    expect(server.count(RELOAD)).toBe(2);
    const again = await Promise.all([ask(first), ask(second), ask(first)]);
    expect(again.map((answer) => answer.policySha256)).toEqual([first.sha256, second.sha256, first.sha256]);
  });

  /** Has a call wait in the server until `open`; the next calls do not. */
  const openCall = async (policy: { name: string; sha256: string }) => {
    let open: () => void = () => undefined;
    const before = server.count(CHAT);
    server.gate = new Promise((resolve) => (open = resolve));
    const answer = ask(policy);
    await until(() => server.count(CHAT) > before);
    server.gate = Promise.resolve();
    return { answer, open };
  };

  it('stay when an answer beside open calls is not valid: it says nothing of them', async () => {
    const policy = policyAt(1);
    await ask(policy);
    const { answer, open } = await openCall(policy);
    server.replies.set('/v1/chat/completions', [{ status: 200, body: 'nothing' }]);
    await expect(ask(policy)).rejects.toThrow(expect.objectContaining({ name: 'PolicyServerAnswerInvalid' }));
    expect((await ask(policy)).policySha256).toBe(policy.sha256);
    open();
    expect((await answer).policySha256).toBe(policy.sha256);
    expect(server.count(RELOAD)).toBe(1);
  });

  it('are not replaced under open calls when the server no longer knows the model', async () => {
    const policy = policyAt(1);
    await ask(policy);
    const { answer, open } = await openCall(policy);
    const unknown = { error: { message: 'The model does not exist.', type: 'NotFoundError', code: 404 } };
    server.replies.set('/v1/chat/completions', [{ status: 404, body: unknown }]);
    const again = ask(policy);
    // The server is compared anew: before that it is given the base weights back, but not under an open call.
    await until(() => server.count('GET /v1/models') === 1);
    expect(server.count(RELOAD)).toBe(1);
    open();
    expect((await answer).policySha256).toBe(policy.sha256);
    expect((await again).policySha256).toBe(policy.sha256);
    expect(server.weightVersion).toBe(version(policy));
    // The base weights for the comparison, and the policy's again.
    expect(server.count(RELOAD)).toBe(3);
  });

  it("that the server's own digests show to be the ones from before are never used", async () => {
    const [first, second] = [policyAt(1), policyAt(2)];
    server.options.keepsWeights = true;
    await expect(ask(first)).rejects.toThrow(
      `it says that it loaded ${first.sha256}, and its weights are still default`,
    );
    server.options.keepsWeights = false;
    await ask(first);
    await ask(second);
    server.options.keepsWeights = true;
    await expect(ask(first)).rejects.toThrow(
      `its weights of ${first.sha256} are others than when it loaded them before`,
    );
    expect(server.weightVersion).toBe(`loading ${version(first)}`);
    server.options.keepsWeights = false;
    expect((await ask(first)).policySha256).toBe(first.sha256);
    await server.restart({ weightChecker: false });
    await expect(ask(first)).rejects.toThrow('its weights are default');
    expect((await ask(second)).policySha256).toBe(second.sha256);
  });

  it('that a restarted server has lost are noticed at the answer, which is not used (I11)', async () => {
    const policy = policyAt(1);
    await ask(policy);
    await server.restart();
    const refused = ask(policy);
    await expect(refused).rejects.toThrow(`its weights are default, not ${version(policy)}`);
    await expect(refused).rejects.toThrow(expect.objectContaining({ name: 'PolicyServerAnswerInvalid' }));
    expect((await ask(policy)).policySha256).toBe(policy.sha256);
  });

  it('that another worker replaced are noticed at the answer, and loaded again', async () => {
    const policy = policyAt(1);
    await ask(policy);
    server.weightVersion = 'run-2@5-ff';
    await expect(ask(policy)).rejects.toThrow('its weights are run-2@5-ff');
    expect((await ask(policy)).policySha256).toBe(policy.sha256);
  });

  it('that a failed reload left behind are never used', async () => {
    const policy = policyAt(1);
    server.replies.set('/collective_rpc', [{ status: 500, body: { error: { message: 'out of memory' } } }]);
    await expect(ask(policy)).rejects.toThrow('out of memory');
    expect(server.weightVersion).toBe(`loading ${version(policy)}`);
    server.replies.set('/reset_prefix_cache', [{ status: 200, body: { success: false } }]);
    await expect(ask(policy)).rejects.toThrow('prefix cache is in use');
    expect((await ask(policy)).policySha256).toBe(policy.sha256);
  });

  it('give way to the base model when a new worker compares the server with the trainer', async () => {
    await ask(policyAt(1));
    client = await connect();
    expect(server.weightVersion).toBe('default');
    expect((await ask({ name: 'tiny-random' })).policySha256).toBe('b'.repeat(64));
  });

  it('leave no base model to be asked', async () => {
    await ask(policyAt(1));
    await expect(ask({ name: 'tiny-random' })).rejects.toThrow(
      expect.objectContaining({ type: 'BadConfiguration', nonRetryable: true }),
    );
  });

  it('are refused by a server that cannot say which weights it holds', async () => {
    await server.restart({ devMode: false });
    await expect(ask(policyAt(1))).rejects.toThrow('VLLM_SERVER_DEV_MODE=1');
  });
});

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; waited < 500 && !condition(); waited += 1) await sleep(10);
  expect(condition()).toBe(true);
}
