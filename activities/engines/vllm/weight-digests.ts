import { sha256Hex } from '../../../infra/artifacts/sha256.js';
import { PolicyServerMisconfigured } from '../policy-errors.js';
import type { VllmApi } from './vllm-api.js';

/** Contents that are remembered: the base model's and those of the latest policies. */
const REMEMBERED = 16;

/**
 * Whether a load changed what the server computes with, by its own digests of its parameters on every rank. They are of
 * tensors as it holds them, fused and in its dtype, so that they cannot be compared with the policy's sha256. But the same
 * content has the same ones each time, and another content has others: a load that reached not every rank, or nothing at
 * all, shows.
 */
export class WeightDigests {
  /** By content, the latest last. */
  private readonly known = new Map<string, string>();

  constructor(private readonly api: VllmApi) {}

  /** To be called when the server was started anew. */
  clear(): void {
    this.known.clear();
  }

  /**
   * To be called after a load, while nobody uses the weights. Says nothing where the server's version has no digests.
   * @param content sha256 of the policy, or a name for the base model's
   * @throws PolicyServerMisconfigured
   */
  async compare(content: string): Promise<void> {
    const checksums = await this.api.weightChecksums();
    if (checksums === undefined) return;
    const found = sha256Hex(Buffer.from(JSON.stringify(Object.entries(checksums).sort())));
    const before = this.known.get(content);
    if (before !== undefined && before !== found) {
      throw new PolicyServerMisconfigured(`its weights of ${content} are others than when it loaded them before`);
    }
    const same = [...this.known].find(([other, digest]) => other !== content && digest === found);
    if (same) {
      throw new PolicyServerMisconfigured(`it says that it loaded ${content}, and its weights are still ${same[0]}`);
    }
    this.remember(content, found);
  }

  private remember(content: string, digest: string): void {
    this.known.delete(content);
    this.known.set(content, digest);
    const [oldest] = this.known.keys();
    if (this.known.size > REMEMBERED) this.known.delete(oldest);
  }
}
