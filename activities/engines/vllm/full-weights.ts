import { PolicyServerAnswerInvalid, PolicyServerMisconfigured } from '../policy-errors.js';
import { servedName } from './adapters.js';
import { waitFor, type HeldWeights } from './held-weights.js';
import type { PolicyRef } from './policy-directory.js';
import { INITIAL_WEIGHTS, type VllmApi } from './vllm-api.js';

/**
 * The weights of a server that are replaced whole: one policy at a time. The server remembers a name for them, lost with
 * its memory, and is asked for it after each answer: so it says which policy, by sha256, an answer came from (I11).
 */
export class FullWeights {
  private current?: string;
  private calls = 0;
  private switching?: Promise<void>;
  private idle: () => void = () => undefined;
  /** Replacements follow one another: the name that the server was given last is that of its weights. */
  private lastReplacement: Promise<unknown> = Promise.resolve();

  constructor(private readonly api: VllmApi) {}

  /** Whether the base model gave way to a policy. */
  get replaced(): boolean {
    return this.current !== undefined || this.switching !== undefined;
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
    while (this.switching !== undefined || this.current !== version) {
      this.switching ??= this.switchTo(version, directory).finally(() => (this.switching = undefined));
      await waitFor(this.switching, signal);
    }
    this.calls += 1;
    return {
      servedName: baseName,
      sha256: policy.sha256,
      lost: () => this.forget(version),
      confirm: () => this.confirm(version),
      release: () => this.release(),
    };
  }

  /** Back to the weights that the server was started with, where something else was loaded before. */
  async restoreBase(root: string): Promise<void> {
    const version = await this.api.weightVersion();
    if (version === undefined || version === INITIAL_WEIGHTS) return;
    await this.replace(INITIAL_WEIGHTS, root);
  }

  private async switchTo(version: string, directory: () => Promise<string>): Promise<void> {
    if (this.calls > 0) await new Promise<void>((resolve) => (this.idle = resolve));
    this.current = undefined;
    if ((await this.api.weightVersion()) === undefined) {
      throw new PolicyServerMisconfigured(
        'it cannot say which weights it holds: set VLLM_SERVER_DEV_MODE=1, with a version that has /weight_info',
      );
    }
    await this.replace(version, await directory());
    this.current = version;
  }

  private async replace(version: string, directory: string): Promise<void> {
    const replacement = this.lastReplacement.then(() => this.replaceNow(version, directory));
    this.lastReplacement = replacement.catch(() => undefined);
    await replacement;
  }

  /** Between the first call and the last the server calls its weights by no name that anyone accepts. */
  private async replaceNow(version: string, directory: string): Promise<void> {
    await this.api.setWeightVersion(`loading ${version}`);
    await this.api.reloadWeights(directory);
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
