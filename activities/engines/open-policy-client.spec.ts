import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadOperatorFile, type OperatorFile } from '../../infra/config/operator-file.js';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { probeReference } from '../../test/support/probe-reference.js';
import { VllmServer } from '../../test/support/vllm-server.js';
import { EmbeddedPolicyClient } from './embedded-policy-client.js';
import { openPolicyClient } from './open-policy-client.js';
import { VllmPolicyClient } from './vllm/vllm-policy-client.js';

describe('openPolicyClient', () => {
  let server: VllmServer;
  let operator: OperatorFile;
  let retries: Error[];
  beforeEach(async () => {
    retries = [];
    server = await new VllmServer().start();
    const reference = join(mkdtempSync(join(tmpdir(), 'reference-')), 'reference.json');
    writeFileSync(reference, JSON.stringify(probeReference()));
    operator = loadOperatorFile(join(PROJECT_ROOT, 'test/support/operator.yaml'));
    operator.policy_server = { kind: 'vllm', model: 'tiny-random', reference, adapters: 2 };
  });
  afterEach(() => server.stop());
  const open = () => {
    const onRetry = (error: Error) => void retries.push(error);
    return openPolicyClient(operator, { url: server.url, artifacts: 'file:///nowhere', onRetry });
  };

  it('gives the client of the embedded server where the operator chose nothing else', async () => {
    operator.policy_server = { kind: 'embedded' };
    expect(await open()).toBeInstanceOf(EmbeddedPolicyClient);
    expect(server.calls).toEqual([]);
  });

  it('gives a client of vLLM once the server has been compared with the trainer', async () => {
    server.options.maxModelLen = 2048;
    server.replies.set('/v1/models', [{ status: 503, body: {} }]);
    expect(await open()).toBeInstanceOf(VllmPolicyClient);
    expect(retries.map((error) => error.name)).toEqual(['PolicyServerUnavailable']);
  });

  it('does not start with a server that would falsify training (I7)', async () => {
    server.options.logprobsMode = 'raw_logprobs';
    await expect(open()).rejects.toThrow('--logprobs-mode processed_logprobs');
  });

  it('does not start with the reference of another model, or none', async () => {
    operator.policy_server = {
      ...operator.policy_server,
      model: 'smollm2-135m-instruct',
    } as typeof operator.policy_server;
    await expect(open()).rejects.toThrow('is the reference of tiny-random, not of smollm2-135m-instruct');
    operator.policy_server = { kind: 'vllm', model: 'tiny-random', reference: '/nowhere.json', adapters: 2 };
    await expect(open()).rejects.toThrow('ENOENT');
  });
});
