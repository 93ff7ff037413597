import { waitFor, type HeldWeights } from './held-weights.js';
import type { PolicyRef } from './policy-directory.js';
import type { VllmApi } from './vllm-api.js';

interface Adapter {
  servedName: string;
  /** Settled when the server has it, or does not. */
  loaded: Promise<void>;
  settled: boolean;
  holds: number;
}

/** `<run>@<step>-<sha256>`: a served name stands for the same content for ever, also after a restart (I11). */
export function servedName({ name, sha256 }: PolicyRef): string {
  return `${name}-${sha256}`;
}

const SERVED_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*@\d+-[0-9a-f]{64}$/;

/**
 * The adapters that a server has loaded. One is loaded when it is first asked for, once however many ask; the last
 * `capacity` stay, more while calls hold them.
 */
export class Adapters {
  /** The least recently used first. */
  private readonly adapters = new Map<string, Adapter>();
  private readonly unloading = new Map<string, Promise<void>>();

  constructor(
    private readonly api: VllmApi,
    private readonly capacity: number,
  ) {}

  has(policy: PolicyRef): boolean {
    return this.adapters.has(servedName(policy));
  }

  /**
   * Compares with what the server has: what it lost is forgotten, what it has from before is taken over, so that it is
   * removed in its turn.
   */
  async synchronise(): Promise<void> {
    const served = (await this.api.models()).filter(({ id, parent }) => parent && SERVED_NAME.test(id));
    const names = new Set(served.map(({ id }) => id));
    for (const adapter of [...this.adapters.values()]) {
      if (adapter.settled && !names.has(adapter.servedName)) this.forget(adapter);
    }
    for (const name of names) if (!this.adapters.has(name)) this.adapters.set(name, found(name));
    this.evict();
  }

  /**
   * @param directory gives the adapter's directory, checked to be the policy's; called for each load
   * @throws what the load throws, to each that waits for it; the signal's reason
   */
  async hold(policy: PolicyRef, directory: () => Promise<string>, signal: AbortSignal): Promise<HeldWeights> {
    const name = servedName(policy);
    const adapter = this.adapters.get(name) ?? this.add(name, directory);
    this.adapters.delete(name);
    this.adapters.set(name, adapter);
    adapter.holds += 1;
    try {
      await waitFor(adapter.loaded, signal);
    } catch (error) {
      this.release(adapter);
      throw error;
    }
    return {
      servedName: name,
      sha256: policy.sha256,
      lost: () => this.forget(adapter),
      confirms: false,
      confirm: () => Promise.resolve(),
      release: () => this.release(adapter),
    };
  }

  private add(name: string, directory: () => Promise<string>): Adapter {
    const loaded = this.load(name, directory);
    const adapter: Adapter = { servedName: name, loaded, settled: false, holds: 0 };
    loaded.then(
      () => (adapter.settled = true),
      () => this.forget(adapter),
    );
    return adapter;
  }

  private async load(name: string, directory: () => Promise<string>): Promise<void> {
    const path = await directory();
    await this.unloading.get(name);
    if (await this.api.loadAdapter(name, path)) return;
    // Another worker loaded it. Under this name only this content may be; a path from elsewhere is not believed.
    const served = (await this.api.models()).find((model) => model.id === name);
    if (served?.root === path) return;
    await this.api.unloadAdapter(name);
    await this.api.loadAdapter(name, path);
  }

  private release(adapter: Adapter): void {
    adapter.holds -= 1;
    this.evict();
  }

  /** Of many that found the same adapter missing, only the first changes anything. */
  private forget(adapter: Adapter): void {
    if (this.adapters.get(adapter.servedName) === adapter) this.adapters.delete(adapter.servedName);
  }

  private evict(): void {
    for (const adapter of [...this.adapters.values()]) {
      if (this.adapters.size <= this.capacity) return;
      if (adapter.holds === 0 && adapter.settled) this.unload(adapter);
    }
  }

  private unload({ servedName: name }: Adapter): void {
    this.adapters.delete(name);
    const unloading = this.api.unloadAdapter(name).then(
      () => void this.unloading.delete(name),
      () => {
        // It is still there, or the server is away and has lost it: taken up again, it is removed in its turn.
        this.unloading.delete(name);
        if (!this.adapters.has(name)) this.restore(name);
      },
    );
    this.unloading.set(name, unloading);
  }

  /** As the least recently used: the next eviction tries it first. */
  private restore(name: string): void {
    const others = [...this.adapters];
    this.adapters.clear();
    this.adapters.set(name, found(name));
    for (const [key, adapter] of others) this.adapters.set(key, adapter);
  }
}

function found(name: string): Adapter {
  return { servedName: name, loaded: Promise.resolve(), settled: true, holds: 0 };
}
