import type { RequestListener } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
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
    const embedder = {
      embed: (texts: readonly string[]) => {
        embedded.push(...texts);
        return Promise.resolve(texts.map((text) => (text.includes('7') ? [0, 1] : [1, 0])));
      },
    };
    const passages = Array.from({ length: 1_000 }, (_, index) => `passage ${index}`);
    const ranked = await rankPassages('what of 7', passages, embedder, signal);
    expect(ranked[0]).toBe(7);
    expect([...ranked].sort((a, b) => a - b)).toEqual(passages.map((_, index) => index));
    expect(embedded).toHaveLength(257);
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

describe(openEmbedder, () => {
  let server: LocalServer;
  const open = async (answer: RequestListener) => {
    server = await LocalServer.start(answer);
    return openEmbedder({ url: `${server.url}/v1/`, model: 'small', key: 'marked-embedding-key' });
  };
  afterEach(() => server.stop());

  it('asks an OpenAI-compatible server in batches and gives unit vectors in the order of the texts', async () => {
    const embedder = await open((_, response) => {
      const { input } = JSON.parse(server.requests.at(-1)?.body ?? '') as { input: string[] };
      const data = input.map((text, index) => ({ object: 'embedding', index, embedding: [Number(text), 4] }));
      response.end(JSON.stringify({ object: 'list', model: 'small', data: data.reverse(), usage: {} }));
    });
    const vectors = await embedder.embed(
      Array.from({ length: 70 }, () => '3'),
      signal,
    );
    expect(vectors).toEqual(Array(70).fill([0.6, 0.8]));
    expect(server.requests.map(({ url, headers }) => [url, headers.authorization])).toEqual(
      Array(2).fill(['/v1/embeddings', 'Bearer marked-embedding-key']),
    );
  });

  it.each([
    ['too few', { data: [] }],
    [
      'vectors of several lengths',
      {
        data: [
          { index: 0, embedding: [1] },
          { index: 1, embedding: [1, 2] },
        ],
      },
    ],
    ['another form', { vectors: [] }],
  ])('takes %s for an answer that cannot be read (I2, I14)', async (_, body) => {
    const embedder = await open((_, response) => response.end(JSON.stringify(body)));
    await expect(embedder.embed(['a', 'b'], signal)).rejects.toMatchObject({ type: 'ServiceAnswerInvalid' });
  });
});
