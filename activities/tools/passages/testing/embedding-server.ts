import type { ServerResponse } from 'node:http';
import { LocalServer } from '../../testing/local-server.js';

/** Answers instead of the model, or undefined. */
export type Instead = (input: readonly string[], response: ServerResponse) => unknown;

/** An OpenAI-compatible server whose model counts words, so that texts of the same words are near each other. */
export class EmbeddingServer {
  dimension = 64;
  instead: Instead = () => undefined;

  private constructor(private readonly server: LocalServer) {}

  static async start(): Promise<EmbeddingServer> {
    const local = await LocalServer.start((_, response) => serving.answer(response));
    const serving = new EmbeddingServer(local);
    return serving;
  }

  get url(): string {
    return `${this.server.url}/v1`;
  }

  /** What each request was to embed. */
  get inputs(): string[][] {
    return this.server.requests.map(({ body }) => (JSON.parse(body) as { input: string[] }).input);
  }

  forget(): void {
    this.server.requests.length = 0;
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  private answer(response: ServerResponse): void {
    const input = this.inputs.at(-1)!;
    const other = this.instead(input, response);
    if (response.writableEnded || response.destroyed) return;
    const data = input.map((text, index) => ({ index, embedding: this.embed(text) })).reverse();
    response.end(JSON.stringify(other ?? { object: 'list', data }));
  }

  private embed(text: string): number[] {
    const vector = new Array<number>(this.dimension).fill(0);
    for (const word of text.toLowerCase().match(/\p{L}+|\d+/gu) ?? ['']) vector[hash(word) % this.dimension] += 1;
    return vector;
  }
}

function hash(word: string): number {
  return [...word].reduce((sum, letter) => (Math.imul(sum, 31) + letter.codePointAt(0)!) >>> 0, 7);
}
