import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { embeddingsSection } from '../../../infra/config/operator/embeddings.js';
import { passagesSection } from '../../../infra/config/operator/passages.js';
import { withKey } from '../../../infra/config/secrets.js';
import { isOutage } from '../../failures/outage.js';
import { runTool } from '../run-tool.js';
import { toolContext } from '../testing/tool-context.js';
import { buildPassageIndex } from './build-index.js';
import type { IndexManifest, Precision } from './manifest.js';
import { openPassages, type OpenPassages } from './open-passages.js';
import { EmbeddingServer } from './testing/embedding-server.js';

jest.setTimeout(300_000);

const directory = mkdtempSync(join(tmpdir(), 'agentflow-dense-'));
let server: EmbeddingServer;
const opened: OpenPassages[] = [];
beforeAll(async () => {
  server = await EmbeddingServer.start();
});
beforeEach(() => {
  server.forget();
  server.dimension = 64;
  server.instead = () => undefined;
});
afterEach(() => {
  for (const passages of opened.splice(0)) passages.close();
});
afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
});

let made = 0;
const COUNT = 300;
function corpus(count = COUNT): string {
  const path = join(directory, `corpus-${(made += 1)}.jsonl`);
  const records = Array.from({ length: count }, (_, number) => ({
    title: `Mount ${number}`,
    text: `A mountain whose ${['snow', 'lake', 'mine', 'pass'][number % 4]} is known, number ${number}.`,
  }));
  writeFileSync(path, [...records, records[0]].map((record) => JSON.stringify(record)).join('\n'));
  return path;
}
const place = (): string => join(directory, `index-${(made += 1)}`);
const section = (changes: object = {}) =>
  embeddingsSection.parse({
    url: server.url,
    model: 'counter',
    query_prefix: 'query: ',
    passage_prefix: 'passage: ',
    ...changes,
  });

interface BuildOptions {
  at?: string;
  precision?: Precision;
  changes?: object;
}
async function build(path: string, { at = place(), precision = 'float32', changes }: BuildOptions = {}) {
  const said: string[] = [];
  const dense = { embeddings: withKey(section(changes)), precision };
  const manifest = await buildPassageIndex([path], at, (line) => said.push(line), dense);
  return { at, manifest, said };
}
const vectorsOf = ({ files }: IndexManifest): string | undefined =>
  files.find(({ name }) => name === 'vectors.faiss')?.sha256;
/** Files of vectors beside an index that is being built. */
const kept = (at: string): string[] =>
  readdirSync(directory).filter((name) => name.startsWith(`${basename(at)}.`) && name.endsWith('.vectors'));

async function open(at: string, search: 'bm25' | 'dense' = 'dense', changes: object = {}): Promise<OpenPassages> {
  const operator = { passages: passagesSection.parse({ index: at, search, results: 3 }), embeddings: section(changes) };
  const passages = (await openPassages(operator))!;
  opened.push(passages);
  return passages;
}
async function ask({ tool }: OpenPassages, query: string): Promise<string | undefined> {
  return (await runTool(tool, { query }, toolContext())).result;
}

/** Answers `count` requests as the model does, and then with `status`. */
function failsAfter(count: number, status: number): void {
  let answered = 0;
  server.instead = (_, response) => {
    if ((answered += 1) > count) response.writeHead(status, { 'retry-after': '0.01' }).end('busy');
  };
}

describe('passages that are embedded', () => {
  it('are found by the vector of a query, each embedded once with its prefix', async () => {
    const { at, manifest } = await build(corpus());
    expect(manifest).toMatchObject({
      passages: COUNT,
      repeated: 1,
      dense: {
        model: 'counter',
        query_prefix: 'query: ',
        passage_prefix: 'passage: ',
        dimension: 64,
        precision: 'float32',
      },
    });
    const texts = server.inputs.flat();
    expect(texts).toHaveLength(COUNT);
    expect(texts).toContain('passage: Mount 7\nA mountain whose pass is known, number 7.');
    expect(kept(at)).toEqual([]);

    server.forget();
    const passages = await open(at);
    const found = await ask(passages, 'Mount 7 A mountain whose pass is known, number 7');
    expect(found?.split('\n\n')).toHaveLength(3);
    expect(found).toMatch(/^Mount 7\nA mountain whose pass is known, number 7\./);
    expect(server.inputs).toEqual([['query: Mount 7 A mountain whose pass is known, number 7']]);
  });

  it.each(['float16', 'int8'] as const)('are found in an index of %s too, which is smaller', async (precision) => {
    const path = corpus();
    const exact = await build(path);
    const rounded = await build(path, { precision });
    const bytes = [exact, rounded].map(
      ({ manifest }) => manifest.files.find(({ name }) => name === 'vectors.faiss')!.bytes,
    );
    expect(bytes[1]).toBeLessThan(0.6 * bytes[0]);
    const query = 'Mount 120 whose snow is known';
    const answers = await Promise.all(
      [exact, rounded].map(async ({ at }) => (await ask(await open(at), query))?.split('\n')[0]),
    );
    expect(answers[1]).toBe(answers[0]);
  });

  it('puts equal ones in the order of the files', async () => {
    const path = join(directory, 'equal.jsonl');
    const records = Array.from({ length: 40 }, (_, number) => ({ title: '', text: `same same${'!'.repeat(number)}` }));
    writeFileSync(path, records.map((record) => JSON.stringify(record)).join('\n'));
    const { at } = await build(path);
    expect(await ask(await open(at), 'same')).toBe('same same\n\nsame same!\n\nsame same!!');
  });

  it('can be searched by words as well', async () => {
    const { at } = await build(corpus());
    server.forget();
    expect(await ask(await open(at, 'bm25'), 'number 42')).toMatch(/^Mount 42\n/);
    expect(server.inputs).toEqual([]);
  });
});

describe('a build that is interrupted', () => {
  it('goes on where it was, asks for nothing twice, and gives the same vectors', async () => {
    const path = corpus();
    const undisturbed = await build(path);
    const all = server.inputs.map(String).sort();

    const at = place();
    server.forget();
    failsAfter(6, 401);
    await expect(build(path, { at })).rejects.toThrow(
      /refused a request with status 401.*128 of 300 passages are embedded, and kept: give the same command again/,
    );
    expect(existsSync(at)).toBe(false);

    server.forget();
    server.instead = () => undefined;
    const { manifest, said } = await build(path, { at });
    expect(said).toContain('128 of 300 passages are embedded already: the rest is to be done.');
    expect(server.inputs.flat()).toHaveLength(COUNT - 128);
    expect(all).toEqual(expect.arrayContaining(server.inputs.map(String)));
    expect(vectorsOf(manifest)).toBe(vectorsOf(undisturbed.manifest));
    expect(kept(at)).toEqual([]);
  });

  it('stops when the server is out of order for too long, and keeps what it has', async () => {
    const at = place();
    failsAfter(4, 503);
    await expect(build(corpus(), { at })).rejects.toThrow(
      /not available: status 503.*128 of 300 passages are embedded/,
    );
    expect(kept(at)).toHaveLength(1);
  });

  it('passes over a torn row', async () => {
    const [path, at] = [corpus(), place()];
    failsAfter(4, 401);
    await expect(build(path, { at })).rejects.toThrow('128 of 300');
    appendFileSync(join(directory, kept(at)[0]), Buffer.alloc(64 * 4 * 3 + 17, 1));
    server.instead = () => undefined;
    expect(vectorsOf((await build(path, { at })).manifest)).toBe(vectorsOf((await build(path)).manifest));
  });

  it('refuses rows that a machine has lost, and says what to delete', async () => {
    const [path, at] = [corpus(), place()];
    failsAfter(4, 401);
    await expect(build(path, { at })).rejects.toThrow('128 of 300');
    const rows = join(directory, kept(at)[0]);
    truncateSync(rows, 64 * 4 * 100);
    truncateSync(rows, 64 * 4 * 128);
    server.instead = () => undefined;
    await expect(build(path, { at })).rejects.toThrow(
      new RegExp(`The vectors in ${rows} cannot be indexed: ValueError: The vector of passage 100 .* Delete it`),
    );
    expect(existsSync(at)).toBe(false);
  });

  it('refuses vectors of another length in the middle', async () => {
    const at = place();
    let answered = 0;
    server.instead = () => {
      if ((answered += 1) === 5) server.dimension = 32;
    };
    await expect(build(corpus(), { at })).rejects.toThrow(
      /vectors of 32 numbers, and gave 64 before.*Delete .*-64\.vectors/,
    );
  });

  it('does not mix the vectors of two models', async () => {
    const [path, at] = [corpus(), place()];
    failsAfter(4, 401);
    await expect(build(path, { at })).rejects.toThrow('128 of 300');
    server.forget();
    server.instead = () => undefined;
    await build(path, { at, changes: { model: 'another' } });
    expect(server.inputs.flat()).toHaveLength(COUNT);
  });
});

describe('a server that is asked to embed passages', () => {
  it('is asked again after 429, as late as it wants', async () => {
    let refused = 0;
    server.instead = (_, response) => {
      if (refused < 3) response.writeHead(429, { 'retry-after': `0.0${(refused += 1)}` }).end('slow down');
    };
    const { manifest } = await build(corpus());
    expect(manifest.passages).toBe(COUNT);
    expect(refused).toBe(3);
    expect(server.inputs.flat().length).toBeGreaterThan(COUNT);
  });

  it('may take fewer texts at once, and shorter ones', async () => {
    server.instead = (input, response) => {
      if (input.length > 10) response.writeHead(422).end('batch size 32 > maximum allowed batch size 10');
      else if (input.some(({ length }) => length > 500)) response.writeHead(413).end('must have less than 512 tokens');
    };
    const path = join(directory, 'long.jsonl');
    writeFileSync(
      path,
      [{ text: 'word '.repeat(1_000) }, { text: 'short' }].map((one) => JSON.stringify(one)).join('\n'),
    );
    const { said, manifest } = await build(path);
    expect(manifest.passages).toBe(2);
    expect(said).toContain('1 passages are too long for the model: their beginnings were embedded.');
  });
});

describe('the identity of passages that are searched by vectors', () => {
  it('changes with the texts, the model, the prefixes and the precision, and with nothing else', async () => {
    const path = corpus();
    const identities = async (...builds: [string, BuildOptions?][]): Promise<string[]> => {
      const found: string[] = [];
      for (const [of, options] of builds) {
        const { at } = await build(of, options);
        found.push((await open(at, 'dense', options?.changes)).tool.identity!);
      }
      return found;
    };
    const [first, again, ...others] = await identities(
      [path],
      [path],
      [corpus(299)],
      [path, { changes: { model: 'another' } }],
      [path, { changes: { query_prefix: '' } }],
      [path, { changes: { passage_prefix: 'snow: ' } }],
      [path, { precision: 'int8' }],
    );
    expect(again).toBe(first);
    expect(new Set([first, ...others]).size).toBe(6);
    const { at } = await build(path);
    const words = await open(at, 'bm25');
    expect(words.tool.identity).not.toBe(first);
    const plain = place();
    await buildPassageIndex([path], plain, () => undefined);
    expect((await open(plain, 'bm25')).tool.identity).toBe(words.tool.identity);
  });

  it.each([
    [{ model: 'another' }, /was embedded with model "counter", and the section embeddings says "another"/],
    [{ query_prefix: 'query:' }, /was embedded with query_prefix "query: ", and .* says "query:"/],
    [{ passage_prefix: '' }, /was embedded with passage_prefix "passage: "/],
  ])('must be that of the operator’s file, which says %j', async (changes, words) => {
    const { at } = await build(corpus(40));
    const opening = open(at, 'dense', changes);
    await expect(opening).rejects.toThrow(words);
    await expect(opening).rejects.toThrow(`npx agentflow passages index FILE... --to ${at} --dense float32`);
  });

  it('is needed: an index without vectors is refused', async () => {
    const at = place();
    await buildPassageIndex([corpus(40)], at, () => undefined);
    await expect(open(at)).rejects.toThrow(/has no vectors.*--dense float32/);
  });
});

describe('an index with vectors that is there', () => {
  it('is used as it is, with or without --dense, and never replaced by another one', async () => {
    const path = corpus(40);
    const { at, manifest } = await build(path);
    server.forget();
    expect((await build(path, { at })).manifest).toEqual(manifest);
    expect(await buildPassageIndex([path], at, () => undefined)).toEqual(manifest);
    await expect(build(path, { at, precision: 'int8' })).rejects.toThrow(/whose precision is "float32", not "int8"/);
    await expect(build(path, { at, changes: { model: 'b' } })).rejects.toThrow(/whose model is "counter", not "b"/);
    const plain = place();
    await buildPassageIndex([path], plain, () => undefined);
    await expect(build(path, { at: plain })).rejects.toThrow(/index without vectors.*choose another name/);
    expect(server.inputs).toEqual([]);
  });

  it('is refused when a vector has another byte, and when its manifest has other numbers (I8)', async () => {
    const { at } = await build(corpus(40));
    const manifest = join(at, 'manifest.json');
    const text = readFileSync(manifest, 'utf8');
    writeFileSync(manifest, text.replace('"dimension": 64', '"dimension": 32'));
    await expect(open(at)).rejects.toThrow(/is damaged: it has 40 vectors of 64 numbers/);
    writeFileSync(manifest, text);
    const vectors = join(at, 'engine/vectors.faiss');
    const bytes = readFileSync(vectors);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(vectors, bytes);
    await expect(open(at)).rejects.toThrow(/vectors\.faiss has been changed/);
  });
});

describe('a search by vectors', () => {
  const thrown = async (answer: EmbeddingServer['instead']): Promise<unknown> => {
    const { at } = await build(corpus(40));
    const { tool } = await open(at);
    server.instead = answer;
    return runTool(tool, { query: 'snow' }, toolContext()).catch((error: unknown) => error);
  };

  it.each([429, 500, 503])('is an outage if the model’s server answers with %i', async (status) => {
    expect(isOutage(await thrown((_, response) => response.writeHead(status).end()))).toBe(true);
  });

  it('is an outage if the connection breaks', async () => {
    expect(isOutage(await thrown((_, response) => void response.destroy()))).toBe(true);
  });

  it('names a model that is another one', async () => {
    const error = await thrown((input) => ({ data: input.map((_, index) => ({ index, embedding: [1, 2] })) }));
    expect(error).toMatchObject({
      type: 'ServiceAnswerInvalid',
      message: expect.stringContaining('gave a vector of 2 numbers, and the index of passages has 64'),
    });
    expect(isOutage(error)).toBe(false);
  });
});
