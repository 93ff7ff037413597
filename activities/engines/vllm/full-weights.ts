import { PolicyServerAnswerInvalid, PolicyServerMisconfigured } from '../policy-errors.js';
import { servedName } from './adapters.js';
import { waitFor, type HeldWeights } from './held-weights.js';
import type { PolicyRef } from './policy-directory.js';
import { INITIAL_WEIGHTS, type VllmApi } from './vllm-api.js';
import { WeightDigests } from './weight-digests.js';

/** A change of the weights: nothing else changes them, and no call on them begins, until it is over. */
interface Change {
  to: string;
  done: Promise<void>;
}

/**
 * The weights of a server that are replaced whole: one policy at a time, and never under an open call. The server
 * remembers a name for them, lost with its memory, and is asked for it after each answer: so it says which policy, by
 * sha256, an answer came from (I11).
 */
export class FullWeights {
  private current?: string;
  private calls = 0;
  private change?: Change;
  private idle: () => void = () => undefined;
  private readonly digests: WeightDigests;

  constructor(private readonly api: VllmApi) {
    this.digests = new WeightDigests(api);
  }

  /** Whether the base model gave way to a policy. */
  get replaced(): boolean {
    return this.current !== undefined || (this.change !== undefined && this.change.to !== INITIAL_WEIGHTS);
  }

  has(policy: PolicyRef): boolean {
    return this.current === servedName(policy);
  }

  /**
   * Waits until calls on another policy are over, then loads the policy and empties the prefix cache.
   * @param directory gives the directory of the weights, checked to be the policy's; called for each load
   * @param baseName what requests call the model, whatever its weights
   * @throws what loading throws; the signal's reason
   */
  async hold(
    policy: PolicyRef,
    directory: () => Promise<string>,
    baseName: string,
    signal: AbortSignal,
  ): Promise<HeldWeights> {
    const version = servedName(policy);
    while (this.change !== undefined || this.current !== version) {
      this.change ??= this.begin(version, () => this.load(policy, directory));
      await waitFor(this.change.done, signal);
    }
    this.calls += 1;
    return {
      servedName: baseName,
      sha256: policy.sha256,
      lost: () => this.forget(version),
      confirms: true,
      confirm: () => this.confirm(version),
      release: () => this.release(),
    };
  }

  /** Back to the weights that the server was started with, if others are there, once no call uses them any more. */
  async restoreBase(root: string): Promise<void> {
    // The failure of another change is told to those who asked for it.
    while (this.change !== undefined) await this.change.done.catch(() => undefined);
    this.change = this.begin(INITIAL_WEIGHTS, () => this.loadBase(root));
    await this.change.done;
  }

  private begin(to: string, load: () => Promise<void>): Change {
    const done = this.whenIdle()
      .then(load)
      .finally(() => (this.change = undefined));
    return { to, done };
  }

  private async whenIdle(): Promise<void> {
    if (this.calls > 0) await new Promise<void>((resolve) => (this.idle = resolve));
  }

  private async loadBase(root: string): Promise<void> {
    this.current = undefined;
    const found = await this.api.weightVersion();
    if (found === undefined) return;
    // A server that was started anew may hold them otherwise: in other shards, or another dtype.
    if (found === INITIAL_WEIGHTS) return this.digests.clear();
    await this.replace(INITIAL_WEIGHTS, INITIAL_WEIGHTS, root);
  }

  private async load(policy: PolicyRef, directory: () => Promise<string>): Promise<void> {
    const version = servedName(policy);
    this.current = undefined;
    const found = await this.api.weightVersion();
    if (found === undefined) {
      throw new PolicyServerMisconfigured(
        'it cannot say which weights it holds: set VLLM_SERVER_DEV_MODE=1, with a version that has /weight_info',
      );
    }
    if (found === INITIAL_WEIGHTS) await this.digests.compare(INITIAL_WEIGHTS);
    await this.replace(version, policy.sha256, await directory());
    this.current = version;
  }

  /** Between the first call and the last the server calls its weights by no name that anyone accepts. */
  private async replace(version: string, content: string, directory: string): Promise<void> {
    await this.api.setWeightVersion(`loading ${version}`);
    await this.api.reloadWeights(directory);
    await this.digests.compare(content);
    await this.api.resetPrefixCache();
    await this.api.setWeightVersion(version);
  }

  private async confirm(version: string): Promise<void> {
    const found = await this.api.weightVersion();
    if (found === version) return;
    this.forget(version);
    throw new PolicyServerAnswerInvalid(`its weights are ${found ?? 'unknown'}, not ${version}`);
  }

  private forget(version: string): void {
    if (this.current === version) this.current = undefined;
  }

  private release(): void {
    this.calls -= 1;
    if (this.calls === 0) this.idle();
  }
}
