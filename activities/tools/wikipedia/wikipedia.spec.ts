import type { RequestListener, ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { wikipediaSection } from '../../../infra/config/operator/wikipedia.js';
import type { Embedder } from '../ranking/embedder.js';
import { runTool } from '../run-tool.js';
import { LocalServer } from '../testing/local-server.js';
import { toolContext } from '../testing/tool-context.js';
import { createWikipediaTool } from './wikipedia.tool.js';

const USER_AGENT = 'agentflow (mail@operator.test)';

const filler = (subject: string) => `${subject} has a long history, which many have told. `.repeat(30).trim();
const PAGES: Record<string, { title: string; extract: string }> = {
  '11': {
    title: 'Elm River',
    extract: `The Elm River is a river.\n${filler('The valley')}\nCourse\nIt is 412 kilometres long.\n${filler('The mouth')}`,
  },
  '12': { title: 'Elm', extract: `Elms are trees.\n${filler('The wood')}` },
};

/** The Action API as it documents itself: search, then a page's whole text. */
const api: RequestListener = ({ url = '' }, response) => {
  const { pathname, searchParams } = new URL(url, 'http://x');
  const asked = Object.fromEntries(searchParams);
  if (asked.action !== 'query' || asked.format !== 'json' || asked.formatversion !== '2')
    return response.writeHead(400).end();
  if (asked.list === 'search') {
    const search = asked.srsearch.includes('nothing')
      ? []
      : Object.keys(PAGES).map((id) => ({ ns: 0, pageid: Number(id) }));
    return json(response, { batchcomplete: true, query: { searchinfo: {}, search } });
  }
  if (asked.prop !== 'extracts|info' || asked.explaintext !== '1') return response.writeHead(400).end();
  const page = PAGES[asked.pageids];
  const fullurl = `https://${pathname.slice(1, 3)}.wikipedia.test/wiki/${page.title.replace(' ', '_')}`;
  json(response, {
    batchcomplete: true,
    query: { pages: [{ pageid: Number(asked.pageids), ns: 0, ...page, fullurl }] },
  });
};

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
}

describe('Wikipedia search', () => {
  let server: LocalServer;
  const open = async (answer: RequestListener = api, embedder?: Embedder) => {
    server = await LocalServer.start(answer);
    const settings = wikipediaSection.parse({ languages: ['en', 'de'], url: `${server.url}/{language}/w/api.php` });
    return createWikipediaTool({ settings, userAgent: USER_AGENT, embedder });
  };
  afterEach(() => server.stop());

  it('reads the pages that it finds and puts the passage that answers first, with its place and source', async () => {
    const { result = '' } = await runTool(
      await open(),
      { query: 'how many kilometres long is the Elm River' },
      toolContext(),
    );
    expect(result.split('\n').slice(0, 2)).toEqual(['Elm River', 'https://en.wikipedia.test/wiki/Elm_River']);
    expect(result.split('[passage')[1]).toMatch(/^ \d of \d\] .*It is 412 kilometres long\./s);
    expect(result).toContain('Elms are trees.');
    expect(Buffer.byteLength(result)).toBeLessThanOrEqual(8 * 1024);
    expect(server.requests).toHaveLength(3);
    expect(new Set(server.requests.map(({ headers }) => headers['user-agent']))).toEqual(new Set([USER_AGENT]));
  });

  it('asks the edition of the language, and refuses one that the operator did not list', async () => {
    const tool = await open();
    const { result = '' } = await runTool(tool, { query: 'Elm', language: 'de' }, toolContext());
    expect(result).toContain('https://de.wikipedia.test/');
    expect(await runTool(tool, { query: 'Elm', language: 'evil.test/' }, toolContext())).toEqual({
      mistake: 'language is one of en, de',
      kind: 'invalid_arguments',
    });
  });

  it('ranks by the embeddings of a configured model', async () => {
    const vectorOf = (text: string): number[] => (/wood|trees/.test(text) ? [1, 0] : [0, 1]);
    const embedder: Embedder = {
      embedQuery: (query) => Promise.resolve(vectorOf(query)),
      embedPassages: (texts) => Promise.resolve(texts.map(vectorOf)),
    };
    const { result = '' } = await runTool(await open(api, embedder), { query: 'what are trees' }, toolContext());
    expect(result).toMatch(/^Elm\n/);
  });

  it('says that nothing was found', async () => {
    expect(await runTool(await open(), { query: 'nothing' }, toolContext())).toEqual({ result: 'nothing found' });
  });

  it.each<[string, RequestListener, string?]>([
    ['500', (_, response) => response.writeHead(500).end()],
    ['429', (_, response) => response.writeHead(429, { 'retry-after': '5' }).end()],
    [
      'an error of the API',
      (_, response) => json(response, { error: { code: 'maxlag', info: 'Waiting' } }),
      'ServiceAnswerInvalid',
    ],
    ['garbage', (_, response) => response.end('<!doctype html>'), 'ServiceAnswerInvalid'],
    [
      'half a body',
      (_, response) => response.writeHead(200, { 'content-length': 99 }).write('{', () => response.destroy()),
    ],
  ])('takes %s for no answer: retried, and never a mistake (I2)', async (_, answer, type = 'ServiceUnavailable') => {
    await expect(runTool(await open(answer), { query: 'Elm' }, toolContext())).rejects.toMatchObject({
      type,
      nonRetryable: false,
    });
  });

  it('says in words what is wrong with malformed arguments', async () => {
    const tool = await open();
    for (const input of [{}, { query: '' }, { query: 7 }]) {
      expect(await runTool(tool, input, toolContext())).toEqual({
        mistake: 'a query is needed',
        kind: 'invalid_arguments',
      });
    }
    expect(server.requests).toEqual([]);
  });
});
