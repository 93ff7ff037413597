import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { openOperatorTools } from '../operator-tools.js';
import { pythonSection } from '../../../infra/config/operator/python.js';
import { passagesSection } from '../../../infra/config/operator/passages.js';
import { tryKernelLock } from '../../../infra/local/kernel-lock.js';
import { isOutage } from '../../failures/outage.js';
import { runTool } from '../run-tool.js';
import { toolContext } from '../testing/tool-context.js';
import type { Tool } from '../tool.js';
import { buildPassageIndex } from './build-index.js';
import { identityOf, type IndexManifest } from './manifest.js';
import { PassageSearcher } from './passage-searcher.js';
import { createPassagesTool } from './passages.tool.js';
import { byWords } from './retrieval.js';
import { madeQuestions } from './testing/made-questions.js';

jest.setTimeout(300_000);

const directory = mkdtempSync(join(tmpdir(), 'agentflow-passages-'));
const opened: PassageSearcher[] = [];
afterAll(() => {
  for (const searcher of opened) searcher.close();
  rmSync(directory, { recursive: true });
});

let made = 0;
/** A file of records, a line each. */
function jsonl(...records: unknown[]): string {
  return file(records.map((record) => JSON.stringify(record)).join('\n'));
}
function file(content: string | Uint8Array, extension = 'jsonl'): string {
  const path = join(directory, `file-${(made += 1)}.${extension}`);
  writeFileSync(path, content);
  return path;
}
const place = (): string => join(directory, `index-${(made += 1)}`);

interface BuiltIndex {
  manifest: IndexManifest;
  said: string[];
  at: string;
}
async function build(...files: string[]): Promise<BuiltIndex> {
  const at = place();
  const said: string[] = [];
  const manifest = await buildPassageIndex(files, at, (line) => said.push(line));
  return { manifest, said, at };
}

async function open(at: string): Promise<PassageSearcher> {
  const searcher = await PassageSearcher.open(at);
  opened.push(searcher);
  return searcher;
}
async function search(searcher: PassageSearcher, query: string, count = 5): Promise<string[]> {
  return (await searcher.search(query, count, new AbortController().signal)).map(({ title }) => title);
}

const QUESTIONS = madeQuestions(50);
const asLists = QUESTIONS.map(({ context, ...rest }) => ({
  ...rest,
  context: { title: context.map(([title]) => title), sentences: context.map(([, sentences]) => sentences) },
}));

describe('an index of the contexts of fifty questions in the form of HotpotQA', () => {
  let index: BuiltIndex;
  let searcher: PassageSearcher;
  let tool: Tool;
  beforeAll(async () => {
    index = await build(file(JSON.stringify(QUESTIONS), 'json'));
    searcher = await open(index.at);
    tool = createPassagesTool(byWords(searcher), { results: 5 });
  });

  it('holds each paragraph once', () => {
    const paragraphs = new Set(QUESTIONS.flatMap(({ context }) => context.map((one) => JSON.stringify(one))));
    const { passages, repeated, left_out } = index.manifest;
    expect({ passages, repeated, left_out }).toEqual({
      passages: paragraphs.size,
      repeated: QUESTIONS.length * 10 - paragraphs.size,
      left_out: 0,
    });
  });

  it('finds the paragraphs of both hops, for every question', async () => {
    const missed: string[] = [];
    for (const { question, supporting_facts } of QUESTIONS) {
      const [[book], [author]] = supporting_facts;
      if (!(await search(searcher, question)).includes(book)) missed.push(question);
      if (!(await search(searcher, `${author} born`)).includes(author)) missed.push(author);
    }
    expect(missed).toEqual([]);
  });

  it('gives a tool result in which the answer stands, of at most eight kilobytes', async () => {
    const [, [author]] = QUESTIONS[0].supporting_facts;
    const { result } = await runTool(tool, { query: `Where was ${author} born?` }, toolContext());
    expect(result).toContain(`${author}\n${author} was a novelist and teacher. The writer was born in the town of`);
    expect(Buffer.byteLength(result!)).toBeLessThanOrEqual(8 * 1024);
    expect(result!.split('\n\n')).toHaveLength(5);
  });

  it('is the same in every form of the questions, and gives the same results', async () => {
    const columns = (['_id', 'question', 'answer'] as const).map((name) => ({
      name,
      data: asLists.map((row) => row[name]),
    }));
    const nested = { name: 'context', data: asLists.map(({ context }) => context), type: 'JSON' as const };
    const parquet = file(new Uint8Array(parquetWriteBuffer({ columnData: [...columns, nested] })), 'parquet');
    for (const path of [jsonl(...asLists), jsonl(...QUESTIONS), parquet]) {
      const other = await open((await build(path)).at);
      expect(other.manifest.passages).toBe(index.manifest.passages);
      for (const { question } of QUESTIONS)
        expect(await search(other, question)).toEqual(await search(searcher, question));
    }
  });

  it.each([
    ['operators', 'AND OR NOT (The Silver) AND ( " * : ^ ~ \\ + - && || ! [a TO b] {x} title:Orchard'],
    ['an open quotation mark', '"The Silver Orchard'],
    ['a colon and a web address', 'https://example.org/Silver_Orchard?x=1#y'],
    ['backslashes', '\\>\\>\\> Silver\\ Orchard'],
    ['an e-mail sign and a hash', '@silver #orchard a=b 50% ünïcode@x'],
    ['full width and ligatures', 'Ｓｉｌｖｅｒ　Orchard ﬁne'],
    ['a decomposed accent', 'Silver Órchard'.normalize('NFD')],
  ])('reads %s as words', async (_, query) => {
    const { result } = await runTool(tool, { query }, toolContext());
    expect(result).toContain('The Silver Orchard\n');
  });

  it.each(['***', '"', '( )', '...', '\u200b', '👩‍👩‍👧', '>>>', "'; DROP TABLE passages; --"])(
    'answers %j, in which there may be no word that it knows',
    async (query) => {
      expect(await runTool(tool, { query }, toolContext())).toEqual({ result: expect.any(String) });
    },
  );

  it.each([
    ['', 'a query is needed'],
    ['  \n ', 'a query is needed'],
    ['long '.repeat(2_000), 'the query is longer than 1000 characters'],
    [['a'], 'a query is needed'],
    ['a\0b', 'the arguments cannot be taken'],
  ])('refuses the query %j in words', async (query, words) => {
    expect(await runTool(tool, { query }, toolContext())).toEqual({
      kind: 'invalid_arguments',
      mistake: expect.stringContaining(words),
    });
  });

  it('answers a query of a thousand characters, and many at once', async () => {
    const long = QUESTIONS.map(({ question }) => question)
      .join(' ')
      .slice(0, 1_000);
    const found = await Promise.all(Array.from({ length: 50 }, () => search(searcher, long)));
    expect(found).toEqual(found.map(() => found[0]));
    expect(found[0]).toHaveLength(5);
  });

  it('says that nothing was found', async () => {
    expect(await runTool(tool, { query: 'zzzzqqqq' }, toolContext())).toEqual({ result: 'nothing found' });
  });

  it('is an outage when its process is killed, and starts another one', async () => {
    const doomed = await open(index.at);
    const pid = (doomed as unknown as { process: { child: { pid: number } } }).process.child.pid;
    process.kill(pid, 'SIGSTOP');
    const lost = search(doomed, 'Orchard').catch((error: Error) => error);
    process.kill(pid, 'SIGKILL');
    expect(isOutage(await lost)).toBe(true);
    expect(await search(doomed, QUESTIONS[0].question)).toEqual(await search(searcher, QUESTIONS[0].question));
  });

  it('ends a call that is cancelled', async () => {
    const stopped = new AbortController();
    const found = searcher.search('Orchard', 5, stopped.signal);
    stopped.abort(new Error('cancelled'));
    await expect(found).rejects.toThrow('cancelled');
    expect(await search(searcher, 'Silver Orchard')).toContain('The Silver Orchard');
  });

  it('has an identity that changes with the texts, with their reading and with nothing else', async () => {
    const { manifest } = index;
    const again = await build(file(JSON.stringify(QUESTIONS), 'json'));
    expect(identityOf(again.manifest)).toBe(identityOf(manifest));
    const other = await build(file(JSON.stringify(QUESTIONS.slice(1)), 'json'));
    const ids = [manifest, other.manifest, { ...manifest, analyzer: 'another' }].map(identityOf);
    expect(new Set(ids).size).toBe(3);
    expect(tool.identity).not.toBe(createPassagesTool(byWords(searcher), { results: 3 }).identity);
  });
});

describe('what files of passages hold', () => {
  it('leaves out what cannot be read, and says where it was', async () => {
    const path = file(
      [
        '\ufeff{"id": 1, "title": "Ada", "text": "Ada wrote programs."}',
        '{"id": 2, "title": "Cut", "text": "It ends',
        '[1, 2]',
        '{"id": 3, "title": "Empty", "text": ""}',
        `{"id": 4, "text": "${'long '.repeat(200_000)}"}`,
        '{"id": 1, "title": "Bob", "text": "Another one with the id of Ada."}',
        '{"id": 5, "title": "Ada", "text": "Ada wrote programs."}',
        '',
        '{"id": 6, "title": "Line", "text": "a\u2028b separated"}',
      ].join('\n'),
    );
    const { manifest, said, at } = await build(path);
    expect(manifest).toMatchObject({ passages: 3, repeated: 1, left_out: 4 });
    expect(said).toEqual([
      '4 records left out:',
      expect.stringContaining(`${path}, line 2: is not JSON`),
      expect.stringMatching(/record 3: is no object$/),
      expect.stringMatching(/record 4: has no text$/),
      expect.stringMatching(/record 5: has a passage of \d+ bytes/),
    ]);
    expect(await search(await open(at), 'id of Ada')).toEqual(['Bob', 'Ada']);
  });

  it.each([
    ['accents', 'Beyoncé Gérard', 'beyonce gerard'],
    ['words without spaces', '東京タワーは塔です', '東京の塔'],
    ['other alphabets', 'Лев Толстой', 'ТОЛСТОЙ'],
    ['endings', 'The cities were populated', 'population of a city'],
    ['only common words', 'The Who', 'the who'],
  ])('finds %s', async (_, text, query) => {
    const { at } = await build(jsonl({ title: 'Right', text }, { title: 'Wrong', text: 'Nothing of that kind here.' }));
    expect((await search(await open(at), query))[0]).toBe('Right');
  });

  it('puts equal ones in the order of the files', async () => {
    const records = Array.from({ length: 30 }, (_, index) => ({
      title: String(index).padStart(2, '0'),
      text: 'the same',
    }));
    const { at } = await build(jsonl(...records.slice(0, 15)), jsonl(...records.slice(15)));
    expect(await search(await open(at), 'same')).toEqual(['00', '01', '02', '03', '04']);
  });

  it('cuts a long passage, and shows those after it', async () => {
    const { at } = await build(
      jsonl({ title: 'Long', text: 'word '.repeat(5_000) }, { title: 'Short', text: 'one word' }),
    );
    const tool = createPassagesTool(byWords(await open(at)), { results: 2 });
    const { result } = await runTool(tool, { query: 'word' }, toolContext());
    expect(result).toMatch(/Short\none word/);
    expect(result).toMatch(/Long\nword word/);
    expect(Buffer.byteLength(result!)).toBeLessThanOrEqual(8 * 1024);
  });

  it.each([
    ['no passage', () => jsonl({ id: 1, body: 'text' }), /no passage in these files/],
    ['no records', () => file('hello', 'txt'), /no file of records/],
    ['no file', () => join(directory, 'nowhere.jsonl'), /there is no such file/],
    ['no Parquet', () => file('PAR1', 'parquet'), /is not Parquet/],
  ])('refuses %s, and leaves no index', async (_, path, words) => {
    const at = place();
    await expect(buildPassageIndex([path()], at, () => undefined)).rejects.toThrow(words);
    expect(existsSync(at)).toBe(false);
  });
});

describe('I8: an index is whole or absent', () => {
  const nothing = () => undefined;

  it('takes the place of an empty directory', async () => {
    const at = place();
    mkdirSync(at);
    await buildPassageIndex([jsonl({ text: 'Ada wrote programs.' })], at, nothing);
    expect(await search(await open(at), 'programs')).toHaveLength(1);
  });

  it('is used as it is when it is built again, and never replaced by another one', async () => {
    const path = jsonl({ text: 'Ada wrote programs.' });
    const { at, manifest } = await build(path);
    const said: string[] = [];
    expect(await buildPassageIndex([path], at, (line) => said.push(line))).toEqual(manifest);
    expect(said).toEqual([`${at} holds the index of these files already: nothing is to be done.`]);
    const other = jsonl({ text: 'Bob wrote poems.' });
    await expect(buildPassageIndex([other], at, nothing)).rejects.toThrow(/index of other files.*choose another name/);
    expect(await search(await open(at), 'programs')).toHaveLength(1);
  });

  it('leaves alone what is no index', async () => {
    await expect(buildPassageIndex([jsonl({ text: 'a' })], directory, nothing)).rejects.toThrow(
      /is not there.*passages index/,
    );
    expect(readdirSync(directory)).not.toHaveLength(0);
  });

  it('is built over what a killed build has left', async () => {
    const at = place();
    mkdirSync(join(`${at}.unfinished`, 'engine'), { recursive: true });
    writeFileSync(join(`${at}.unfinished`, 'engine', 'meta.json'), '{');
    writeFileSync(`${at}.lock`, '');
    await expect(PassageSearcher.open(at)).rejects.toThrow(/is not there.*npx agentflow passages index/);
    await buildPassageIndex([jsonl({ text: 'Ada wrote programs.' })], at, nothing);
    expect(await search(await open(at), 'programs')).toHaveLength(1);
    expect(readdirSync(directory).filter((name) => name.startsWith(`${basename(at)}.`))).toEqual([]);
  });

  it('is built by one process at a time', async () => {
    const at = place();
    const lock = tryKernelLock(`${at}.lock`)!;
    const building = buildPassageIndex([jsonl({ text: 'a' })], at, nothing);
    await expect(building).rejects.toThrow(/Another process builds/);
    lock.release();
  });

  const DAMAGES: [string, (at: string) => void, RegExp][] = [
    ['a file is missing', (at) => rmSync(largest(at)), /cannot be read/],
    ['a file is cut', (at) => truncateSync(largest(at), 10), /has been changed/],
    ['a file has another byte', flip, /has been changed/],
    ['the manifest is no JSON', (at) => appendFileSync(join(at, 'manifest.json'), '}'), /manifest\.json is not what/],
    ['the manifest is missing', (at) => rmSync(join(at, 'manifest.json')), /is not there/],
    ['another version read its texts', (at) => rewrite(at, { analyzer: 'bm25-english-0' }), /built by another version/],
    ['it has fewer passages', (at) => rewrite(at, { passages: 7 }), /has 1 of 7 passages/],
  ];

  it.each(DAMAGES)('is refused when %s, and says what to run', async (_, damage, words) => {
    const { at } = await build(jsonl({ text: 'Ada wrote programs.' }));
    damage(at);
    const operator = { tools: ['passages'], python: pythonSection.parse(undefined), mcp_servers: {} };
    const passages = passagesSection.parse({ index: at });
    const starting = openOperatorTools({ ...operator, passages }, '/nowhere', (error) => {
      throw error;
    });
    await expect(starting).rejects.toThrow(words);
    await expect(starting).rejects.toThrow(`npx agentflow passages index FILE... --to ${at}`);
  });
});

function largest(at: string): string {
  const engine = join(at, 'engine');
  const store = readdirSync(engine).find((name) => name.endsWith('.store'))!;
  return join(engine, store);
}

function flip(at: string): void {
  const bytes = readFileSync(largest(at));
  bytes[3] ^= 1;
  writeFileSync(largest(at), bytes);
}

function rewrite(at: string, changes: object): void {
  const path = join(at, 'manifest.json');
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), ...changes }));
}
