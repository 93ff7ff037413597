import type { PythonProcess } from '../../../infra/local/start-python.js';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { redact } from '../../../infra/redaction/redact.js';
import { Outage } from '../../failures/outage.js';
import type { Passage } from './passages-in.js';
import { startPassagesProcess } from './passages-process.js';

const STDERR_KEPT = 2_000;
/** A search takes milliseconds, seconds among millions of vectors: what is silent for so long does not come back. */
const SILENCE_MS = 45_000;

const openedSchema = z.strictObject({
  analyzer: z.string(),
  passages: z.int(),
  /** Of the vectors, if there are any: their number and their length. */
  vectors: z.int().optional(),
  dimension: z.int().optional(),
});
const answerSchema = z.strictObject({
  id: z.int(),
  passages: z.array(z.strictObject({ title: z.string(), text: z.string() })),
});
const messageSchema = z.union([openedSchema, answerSchema]);

/** What is asked of the process: by words, by a vector, or by number (flow_grpo/passages/__main__.py). */
export type SearchRequest = ({ query: string } | { vector: readonly number[] } | { first: number }) & { count: number };

/** Thrown for every search that is open when its process is ended from outside, or does not answer: an outage (I2). */
class PassagesLost extends Outage {
  override readonly name = 'PassagesLost';
}

interface OpenSearch {
  resolve(passages: Passage[]): void;
  reject(error: Error): void;
}

/** A process that searches one index, until it ends. Many searches may be open: they are answered one after the other. */
export class SearchProcess {
  /** Rejects as searches do when the process ends. */
  readonly opened: Promise<z.infer<typeof openedSchema>>;
  private readonly child: PythonProcess;
  private readonly open = new Map<number, OpenSearch>();
  private begun = 0;
  private said = '';
  private hasEnded = false;
  private silence?: NodeJS.Timeout;

  /** @param directory of the engine's files */
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

  /** @throws PassagesLost, the reason of `signal` */
  async ask(request: SearchRequest, signal: AbortSignal): Promise<Passage[]> {
    await this.opened;
    signal.throwIfAborted();
    const id = (this.begun += 1);
    const abandon = (): void => this.open.get(id)?.reject(signal.reason as Error);
    signal.addEventListener('abort', abandon, { once: true });
    try {
      return await new Promise((resolve, reject) => {
        this.open.set(id, { resolve, reject });
        this.listen();
        this.child.stdin.write(`${JSON.stringify({ id, ...request })}\n`);
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
