import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { embeddingsSection } from '../../../infra/config/operator/embeddings.js';
import { turnsDuring } from '../../testing/turns-during.js';
import { LocalServer } from '../testing/local-server.js';
import { rankByWords } from './bm25.js';
import { openEmbedder } from './embedder.js';
import { passagesOf } from './passages.js';
import { rankPassages } from './rank-passages.js';
import { writePassages } from './write-passages.js';

const signal = new AbortController().signal;

describe(passagesOf, () => {
  it('joins short blocks and cuts long ones, loses no word and keeps the order', () => {
    const word = fc.stringMatching(/^[a-z]{1,12}$/);
    const block = fc.array(word, { minLength: 1, maxLength: 400 }).map((words) => words.join(' '));
    fc.assert(
      fc.property(fc.array(block, { maxLength: 12 }), (blocks) => {
        const passages = passagesOf(blocks);
        for (const passage of passages) expect(passage.length).toBeLessThanOrEqual(1_200);
        const whole = blocks.join(' ');
        let from = 0;
        for (const passage of passages) {
          const at = whole.indexOf(passage.replaceAll('\n', ' '), Math.max(0, from - 250));
          expect(at).not.toBe(-1);
          expect(at).toBeLessThanOrEqual(from + 1);
          from = Math.max(from, at + passage.length);
        }
        expect(from).toBe(whole.length);
      }),
    );
  });

  it('cuts text without spaces', () => {
    const passages = passagesOf(['川'.repeat(3_000)]);
    expect(passages.join('')).toBe('川'.repeat(3_000));
    expect(passages.length).toBe(3);
  });
});

describe('a page as long as one may be', () => {
  it('is cut in one pass, with spaces or without', () => {
    for (const block of ['a'.repeat(2_000_000), 'a '.repeat(1_000_000)]) {
      expect(passagesOf([block]).length).toBeGreaterThan(1_500);
    }
  });

  it('leaves the event loop to others while it is ranked', async () => {
    const passages = passagesOf(['a river of some length '.repeat(40_000)]);
    const turns = await turnsDuring(rankByWords('the river', passages));
    // Twenty passages at a time; two pieces may come into one turn.
    expect(turns).toBeGreaterThanOrEqual(passages.length / 40);
  });
});

describe(rankByWords, () => {
  it('puts the passage with the rare word of the query first, and leaves out what shares none', async () => {
    const passages = ['the river and the town', 'a quokka by the river', 'mountains'];
    expect(await rankByWords('the quokka', passages)).toEqual([1, 0]);
  });

  it('finds words of languages without spaces', async () => {
    expect((await rankByWords('东京人口', ['北京是首都', '东京的人口很多']))[0]).toBe(1);
  });
});

describe(rankPassages, () => {
  it('gives every place once, those that share no word with the query last, in their order', async () => {
    expect(await rankPassages('quokka', ['a', 'b', 'the quokka', 'c'], undefined, signal)).toEqual([2, 0, 1, 3]);
    expect(await rankPassages('quokka', [], undefined, signal)).toEqual([]);
  });

  it('ranks by cosine where there is a model, and embeds a bounded number of passages', async () => {
    const embedded: string[] = [];
    const vectorOf = (text: string): number[] => (text.includes('7') ? [0, 1] : [1, 0]);
    const embedder = {
      embedQuery: (query: string) => Promise.resolve(vectorOf(query)),
      embedPassages: (texts: readonly string[]) => {
        embedded.push(...texts);
        return Promise.resolve(texts.map(vectorOf));
      },
    };
    const passages = Array.from({ length: 1_000 }, (_, index) => `passage ${index}`);
    const ranked = await rankPassages('what of 7', passages, embedder, signal);
    expect(ranked[0]).toBe(7);
    expect([...ranked].sort((a, b) => a - b)).toEqual(passages.map((_, index) => index));
    expect(embedded).toHaveLength(256);
  });
});

describe(writePassages, () => {
  it('names the source where it changes, and stops within the bytes of a turn (I6)', () => {
    const source = { title: 'Elm', url: 'https://e.test/' };
    const other = { title: 'Oak', url: 'https://o.test/' };
    const passage = { text: 'ü'.repeat(1_500), of: 4, source };
    const written = writePassages([
      { ...passage, place: 3 },
      { ...passage, place: 1 },
      { ...passage, place: 2, source: other },
    ]);
    expect(written.match(/\[passage \d of 4\]|Elm|Oak/g)).toEqual(['Elm', '[passage 3 of 4]', '[passage 1 of 4]']);
    expect(Buffer.byteLength(written)).toBeLessThanOrEqual(8 * 1024);
    expect(Buffer.byteLength(writePassages([{ ...passage, place: 1, text: 'ü'.repeat(9_000) }]))).toBeLessThanOrEqual(
      8 * 1024,
    );
  });
});

/** What a server answers: vectors of two numbers, in the order of the texts. */
function answerTo(input: readonly string[]): { data: { index: number; embedding: unknown[] }[] } {
  return { data: input.map((text, index) => ({ index, embedding: [text.length, 4] })) };
}

describe(openEmbedder, () => {
  let server: LocalServer;
  let shortened = 0;
  const inputs = (): string[][] => server.requests.map(({ body }) => (JSON.parse(body) as { input: string[] }).input);
  const open = async (answer: (input: string[], response: ServerResponse) => unknown) => {
    shortened = 0;
    server = await LocalServer.start((_, response) => {
      const body = answer(inputs().at(-1)!, response);
      if (!response.writableEnded) response.end(JSON.stringify(body));
    });
    const section = embeddingsSection.parse({
      url: `${server.url}/v1/`,
      model: 'small',
      query_prefix: 'query: ',
      passage_prefix: 'passage: ',
    });
    return openEmbedder({ ...section, key: 'marked-embedding-key' }, () => (shortened += 1));
  };
  const refuse = (response: ServerResponse, status: number, message: string): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { message } }));
  };
  afterEach(() => server.stop());

  it('asks an OpenAI-compatible server in batches and gives unit vectors in the order of the texts', async () => {
    const embedder = await open((input) => ({
      object: 'list',
      model: 'small',
      data: answerTo(input).data.reverse(),
      usage: {},
    }));
    const vectors = await embedder.embedPassages(
      Array.from({ length: 70 }, (_, index) => 'x'.repeat(index)),
      signal,
    );
    expect(vectors.map(([x, y]) => (4 * x) / y)).toEqual(
      Array.from({ length: 70 }, (_, index) => expect.closeTo('passage: '.length + index)),
    );
    expect(inputs().map(({ length }) => length)).toEqual([32, 32, 6]);
    expect(server.requests.map(({ url, headers }) => [url, headers.authorization])).toEqual(
      Array(3).fill(['/v1/embeddings', 'Bearer marked-embedding-key']),
    );
  });

  it('puts its prefix before each text', async () => {
    const embedder = await open(answerTo);
    await embedder.embedQuery('who', signal);
    await embedder.embedPassages(['Ada'], signal);
    expect(inputs()).toEqual([['query: who'], ['passage: Ada']]);
  });

  it.each<[string, (input: string[]) => unknown]>([
    ['no vectors', () => ({ data: [] })],
    ['a vector less', (input) => ({ data: answerTo(input).data.slice(1) })],
    ['one index twice', (input) => ({ data: answerTo(input).data.map((one) => ({ ...one, index: 0 })) })],
    [
      'an index that is none of them',
      (input) => ({ data: answerTo(input).data.map((one) => ({ ...one, index: one.index + 1 })) }),
    ],
    [
      'vectors of several lengths',
      () => ({
        data: [
          { index: 0, embedding: [1] },
          { index: 1, embedding: [1, 2] },
        ],
      }),
    ],
    [
      'numbers that are none',
      (input) => ({ data: answerTo(input).data.map((one) => ({ ...one, embedding: [null, null] })) }),
    ],
    ['zeros', (input) => ({ data: answerTo(input).data.map((one) => ({ ...one, embedding: [0, 0] })) })],
    ['an empty vector', (input) => ({ data: answerTo(input).data.map((one) => ({ ...one, embedding: [] })) })],
    ['another form', () => ({ vectors: [] })],
    ['an error with status 200', () => ({ error: { message: 'no such model' } })],
  ])('takes %s for an answer that cannot be read (I2, I14)', async (_, body) => {
    const embedder = await open(body);
    await expect(embedder.embedPassages(['a', 'b'], signal)).rejects.toMatchObject({ type: 'ServiceAnswerInvalid' });
    expect(server.requests).toHaveLength(1);
  });

  it('takes NaN, which is not JSON, for such an answer', async () => {
    const embedder = await open((_, response) => response.end('{"data": [{"index": 0, "embedding": [NaN, NaN]}]}'));
    await expect(embedder.embedQuery('a', signal)).rejects.toMatchObject({ type: 'ServiceAnswerInvalid' });
  });

  it.each([
    [422, 'batch size 32 > maximum allowed batch size 10'],
    [400, 'Requested 300001 tokens, max 300000 tokens per request'],
  ])('divides a batch that is refused with %i: %s', async (status, message) => {
    const embedder = await open((input, response) =>
      input.length > 10 ? refuse(response, status, message) : answerTo(input),
    );
    const passages = Array.from({ length: 32 }, (_, index) => 'x'.repeat(index));
    const vectors = await embedder.embedPassages(passages, signal);
    expect(vectors.map(([x, y]) => Math.round((4 * x) / y) - 'passage: '.length)).toEqual(
      passages.map((_, index) => index),
    );
    expect(inputs().map(({ length }) => length)).toEqual([32, 16, 8, 8, 16, 8, 8]);
    expect(shortened).toBe(0);
  });

  it.each([
    [400, "This model's maximum context length is 512 tokens."],
    [413, 'Input validation error: `inputs` must have less than 512 tokens. Given: 1000'],
  ])('embeds the beginning of a text that is refused with %i: %s', async (status, message) => {
    const embedder = await open((input, response) =>
      input.some(({ length }) => length > 600) ? refuse(response, status, message) : answerTo(input),
    );
    const long = '\u{1f600}'.repeat(500);
    expect(await embedder.embedPassages(['a', long, 'b'], signal)).toHaveLength(3);
    const beginning = inputs()
      .flat()
      .find(({ length }) => length === 505)!;
    expect(`passage: ${long}`.startsWith(beginning.slice(0, -1))).toBe(true);
    expect(beginning.endsWith('\ufffd')).toBe(false);
    expect(shortened).toBe(1);
  });

  it('gives up a text that is refused however short it is', async () => {
    const embedder = await open((_, response) => refuse(response, 400, 'model "small" is not an embedding model'));
    await expect(embedder.embedPassages(['a', 'b', 'word '.repeat(100)], signal)).rejects.toMatchObject({
      type: 'ProviderRefused',
      message: expect.stringContaining('is not an embedding model'),
    });
    expect(server.requests.length).toBeLessThan(6);
  });

  it.each([401, 403, 404])('does not divide what is refused with %i', async (status) => {
    const embedder = await open((_, response) => refuse(response, status, 'no'));
    await expect(embedder.embedPassages(['a', 'b'], signal)).rejects.toMatchObject({ type: 'ProviderRefused' });
    expect(server.requests).toHaveLength(1);
  });
});
