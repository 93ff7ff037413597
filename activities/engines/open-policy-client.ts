import { setTimeout as sleep } from 'node:timers/promises';
import type { OperatorFile } from '../../infra/config/operator-file.js';
import { EmbeddedPolicyClient } from './embedded-policy-client.js';
import type { PolicyClient } from './policy-client.js';
import { PolicyServerUnavailable } from './policy-errors.js';
import { readReference } from './vllm/probe.js';
import { VllmPolicyClient } from './vllm/vllm-policy-client.js';

export interface PolicyServerAddress {
  url: string;
  key?: string;
  /** Root of the artifact store. */
  artifacts: string;
  /** Told of each attempt that found no server. */
  onRetry: (error: Error) => void;
}

const RETRY_MS = 5_000;

/**
 * The client of the policy server that the operator chose. A vLLM server is waited for and compared with the trainer
 * first.
 * @throws PolicyServerMisconfigured naming the likely flag; where the reference cannot be read or is another model's
 */
export async function openPolicyClient(operator: OperatorFile, address: PolicyServerAddress): Promise<PolicyClient> {
  const { policy_server: server, models } = operator;
  if (server.kind === 'embedded') return new EmbeddedPolicyClient(address.url);
  const reference = await readReference(server.reference);
  if (reference.model !== server.model) {
    throw new Error(
      `${server.reference} is the reference of ${reference.model}, not of ${server.model}: write it anew.`,
    );
  }
  const { context } = models[server.model];
  const client = new VllmPolicyClient({ ...address, reference, context, adapters: server.adapters });
  for (;;) {
    try {
      await client.verify();
      return client;
    } catch (error) {
      if (!(error instanceof PolicyServerUnavailable)) throw error;
      address.onRetry(error);
      await sleep(RETRY_MS);
    }
  }
}
