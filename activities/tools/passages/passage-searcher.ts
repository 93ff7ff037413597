import type { PythonProcess } from '../../../infra/local/start-python.js';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { z } from 'zod';
import { redact } from '../../../infra/redaction/redact.js';
import { Outage } from '../../failures/outage.js';
import { ENGINE_DIRECTORY, PassageIndexUnusable, readManifest, verifyFiles, type IndexManifest } from './manifest.js';
import type { Passage } from './passages-in.js';
import { startPassagesProcess } from './passages-process.js';

const STDERR_KEPT = 2_000;
/** A search takes milliseconds: a process that is silent for so long does not come back. */
const SILENCE_MS = 45_000;

const openedSchema = z.strictObject({ analyzer: z.string(), passages: z.int() });
const answerSchema = z.strictObject({
  id: z.int(),
  passages: z.array(z.strictObject({ title: z.string(), text: z.string() })),
});
const messageSchema = z.union([openedSchema, answerSchema]);

/** Thrown for every search that is open when its process is ended from outside, or does not answer: an outage (I2). */
class PassagesLost extends Outage {
  override readonly name = 'PassagesLost';
}

/**
 * Searches an index in a child process, which is started again if it has ended. Many searches may be open: they are
 * answered one after the other.
 */
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
    const { analyzer, passages } = await searcher.running().opened.catch((error: Error) => {
      throw new PassageIndexUnusable(directory, `cannot be opened: ${error.message}`);
    });
    if (analyzer !== manifest.analyzer) {
      searcher.close();
      const versions = `${manifest.analyzer}, and searches are read by ${analyzer}`;
      throw new PassageIndexUnusable(directory, `was built by another version: its texts were read by ${versions}`);
    }
    if (passages === manifest.passages) return searcher;
    searcher.close();
    throw new PassageIndexUnusable(directory, `is damaged: it has ${passages} of ${manifest.passages} passages`);
  }

  /** The best passages, best first, at most `count`. @throws PassagesLost, the reason of `signal` */
  async search(query: string, count: number, signal: AbortSignal): Promise<Passage[]> {
    return this.running().search(query, count, signal);
  }

  close(): void {
    this.process?.kill();
  }

  private running(): SearchProcess {
    if (!this.process?.isAlive) this.process = new SearchProcess(join(this.directory, ENGINE_DIRECTORY));
    return this.process;
  }
}

interface OpenSearch {
  resolve(passages: Passage[]): void;
  reject(error: Error): void;
}

class SearchProcess {
  /** Rejects as searches do when the process ends. */
  readonly opened: Promise<z.infer<typeof openedSchema>>;
  private readonly child: PythonProcess;
  private readonly open = new Map<number, OpenSearch>();
  private begun = 0;
  private said = '';
  private hasEnded = false;
  private silence?: NodeJS.Timeout;

  constructor(directory: string) {
    this.child = startPassagesProcess('search', directory);
    const { stdin, stdout, stderr } = this.child;
    stdin.on('error', () => undefined); // a process that has ended says so by its end
    stderr.setEncoding('utf8').on('data', (text: string) => (this.said = (this.said + text).slice(-STDERR_KEPT)));
    this.opened = new Promise((resolve, reject) => {
      createInterface({ input: stdout }).on('line', (line) => this.hear(line, resolve));
      this.child.once('error', (error) => reject(this.end(error.message, error)));
      this.child.once('close', (code, signal) => reject(this.end(signal ?? `exit code ${code}`)));
    });
    this.opened.catch(() => undefined); // whoever searches awaits it
  }

  get isAlive(): boolean {
    return !this.hasEnded;
  }

  async search(query: string, count: number, signal: AbortSignal): Promise<Passage[]> {
    await this.opened;
    signal.throwIfAborted();
    const id = (this.begun += 1);
    const abandon = (): void => this.open.get(id)?.reject(signal.reason as Error);
    signal.addEventListener('abort', abandon, { once: true });
    try {
      return await new Promise((resolve, reject) => {
        this.open.set(id, { resolve, reject });
        this.listen();
        this.child.stdin.write(`${JSON.stringify({ id, query, count })}\n`);
      });
    } finally {
      signal.removeEventListener('abort', abandon);
    }
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  private hear(line: string, opened: (facts: z.infer<typeof openedSchema>) => void): void {
    const message = messageSchema.parse(JSON.parse(line));
    if (!('id' in message)) return opened(message);
    const search = this.open.get(message.id);
    this.open.delete(message.id);
    this.listen();
    search?.resolve(message.passages);
  }

  /** Something is to be heard as long as a search is open, also one that nobody waits for any more. */
  private listen(): void {
    clearTimeout(this.silence);
    if (this.open.size > 0) this.silence = setTimeout(() => this.kill(), SILENCE_MS);
  }

  /** What ends it from outside is an outage. Its own errors come again: they are a defect. */
  private end(how: string, cause?: Error): Error {
    this.hasEnded = true;
    clearTimeout(this.silence);
    const words = redact(
      `The process that searches passages ended: ${how}. ${this.said.trim().split('\n').at(-1)}`.trim(),
    );
    const error = this.child.signalCode === null ? new Error(words, { cause }) : new PassagesLost(words);
    for (const search of this.open.values()) search.reject(error);
    this.open.clear();
    return error;
  }
}
