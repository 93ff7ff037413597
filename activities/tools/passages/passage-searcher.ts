import { join } from 'node:path';
import { ENGINE_DIRECTORY, PassageIndexUnusable, readManifest, verifyFiles, type IndexManifest } from './manifest.js';
import type { Passage } from './passages-in.js';
import { SearchProcess, type SearchRequest } from './search-process.js';

/** Searches an index in a child process, which is started again if it has ended. */
export class PassageSearcher {
  private process?: SearchProcess;

  private constructor(
    private readonly directory: string,
    readonly manifest: IndexManifest,
  ) {}

  /** @throws PassageIndexUnusable if the index is not whole, or not one that this installation reads */
  static async open(directory: string): Promise<PassageSearcher> {
    const manifest = await readManifest(directory);
    await verifyFiles(directory, manifest);
    const searcher = new PassageSearcher(directory, manifest);
    const problem = await searcher.problem();
    if (problem === undefined) return searcher;
    searcher.close();
    throw new PassageIndexUnusable(directory, problem);
  }

  /** The best passages, best first, at most `count`. @throws PassagesLost, the reason of `signal` */
  search(query: string, count: number, signal: AbortSignal): Promise<Passage[]> {
    return this.ask({ query, count }, signal);
  }

  /** The same by a vector, of an index that has vectors. */
  nearest(vector: readonly number[], count: number, signal: AbortSignal): Promise<Passage[]> {
    return this.ask({ vector, count }, signal);
  }

  close(): void {
    this.process?.kill();
  }

  private ask(request: SearchRequest, signal: AbortSignal): Promise<Passage[]> {
    return this.running().ask(request, signal);
  }

  /** What is wrong with the index that the process has opened. */
  private async problem(): Promise<string | undefined> {
    const { analyzer, passages, dense } = this.manifest;
    const opened = await this.running().opened.catch((error: Error) => error);
    if (opened instanceof Error) return `cannot be opened: ${opened.message}`;
    if (opened.analyzer !== analyzer) {
      const versions = `${analyzer}, and searches are read by ${opened.analyzer}`;
      return `was built by another version: its texts were read by ${versions}`;
    }
    if (opened.passages !== passages) return `is damaged: it has ${opened.passages} of ${passages} passages`;
    if (opened.vectors === (dense && passages) && opened.dimension === dense?.dimension) return undefined;
    return `is damaged: it has ${opened.vectors ?? 0} vectors of ${opened.dimension ?? 0} numbers for ${passages} passages`;
  }

  private running(): SearchProcess {
    if (!this.process?.isAlive) this.process = new SearchProcess(join(this.directory, ENGINE_DIRECTORY));
    return this.process;
  }
}
