import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { WebSearchSection } from '../../../infra/config/operator/web-search.js';
import { webSearchSection } from '../../../infra/config/operator/web-search.js';
import { withKey } from '../../../infra/config/secrets.js';
import { LocalServer } from '../testing/local-server.js';
import { toolContext } from '../testing/tool-context.js';
import { runTool } from '../run-tool.js';
import { createWebSearchTool } from './web-search.tool.js';

const KEY = 'marked-key-of-the-search-service';

const json = (response: ServerResponse, body: unknown, status = 200) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
const asked = ({ url = '' }: IncomingMessage) => new URL(url, 'http://x').searchParams;

/** Each service as it documents itself, and what a planner reads of its answer. */
const SERVICES: { backend: WebSearchSection['backend']; answer: RequestListener; key: string; result: string }[] = [
  {
    backend: 'google',
    key: 'x-goog-api-key',
    answer: (_, response) =>
      json(response, {
        candidates: [
          {
            content: { role: 'model', parts: [{ text: 'Spain won. It beat England 2-1.' }] },
            finishReason: 'STOP',
            groundingMetadata: {
              webSearchQueries: ['who won'],
              searchEntryPoint: { renderedContent: '<div></div>' },
              groundingChunks: [
                { web: { uri: 'https://redirect.test/1', title: 'one.test' } },
                { web: { uri: 'https://redirect.test/2', title: 'two.test' } },
              ],
              groundingSupports: [
                { segment: { startIndex: 0, endIndex: 10, text: 'Spain won.' }, groundingChunkIndices: [0, 1] },
                { segment: { startIndex: 11, endIndex: 31, text: 'It beat England 2-1.' }, groundingChunkIndices: [1] },
              ],
            },
          },
        ],
      }),
    result:
      '1. one.test\nhttps://redirect.test/1\nSpain won.\n\n' +
      '2. two.test\nhttps://redirect.test/2\nSpain won. It beat England 2-1.',
  },
  {
    backend: 'brave',
    key: 'x-subscription-token',
    answer: (request, response) =>
      json(response, {
        type: 'search',
        query: { original: asked(request).get('q') },
        web: {
          type: 'search',
          results: [
            {
              title: 'Spain &amp; <strong>England</strong>',
              url: 'https://one.test/',
              description: 'The <strong>final</strong> &#x27;24',
              extra_snippets: ['It ended 2-1.'],
            },
            { title: 'Two', url: 'https://two.test/', description: 'Another page.' },
          ],
        },
      }),
    result:
      "1. Spain & England\nhttps://one.test/\nThe final '24 It ended 2-1.\n\n2. Two\nhttps://two.test/\nAnother page.",
  },
  {
    backend: 'tavily',
    key: 'authorization',
    answer: (_, response) =>
      json(response, {
        query: 'who won',
        answer: null,
        images: [],
        results: [{ title: 'One', url: 'https://one.test/', content: 'Spain won 2-1.', score: 0.9, raw_content: null }],
        response_time: 0.4,
      }),
    result: '1. One\nhttps://one.test/\nSpain won 2-1.',
  },
  {
    backend: 'searxng',
    key: 'authorization',
    answer: (request, response) =>
      asked(request).get('format') === 'json'
        ? json(response, {
            query: asked(request).get('q'),
            number_of_results: 0,
            results: [
              { title: 'One', url: 'https://one.test/', content: 'Spain won 2-1.', engine: 'a', score: 1 },
              { title: 'Two', url: 'https://two.test/', content: null, engine: 'b', score: 0.5 },
            ],
            answers: [],
            suggestions: [],
          })
        : response.writeHead(403).end(),
    result: '1. One\nhttps://one.test/\nSpain won 2-1.\n\n2. Two\nhttps://two.test/',
  },
];

describe('web search', () => {
  let server: LocalServer;
  const open = async (backend: WebSearchSection['backend'], answer: RequestListener) => {
    server = await LocalServer.start(answer);
    const section = webSearchSection.parse({ backend, url: server.url, key: { env: 'SEARCH_KEY' } });
    return createWebSearchTool(withKey(section, { SEARCH_KEY: KEY }));
  };
  afterEach(() => server.stop());

  it.each(SERVICES)('speaks the protocol of $backend and lists its hits', async ({ backend, answer, key, result }) => {
    const tool = await open(backend, answer);
    expect(await runTool(tool, { query: ' who won? ' }, toolContext())).toEqual({ result });
    const [request] = server.requests;
    expect(String(request.headers[key])).toContain(KEY);
    expect(request.url).not.toContain(KEY);
    expect(decodeURIComponent(request.url.replaceAll('+', ' ')) + request.body).toContain('who won?');
  });

  it('asks Google and Tavily as they document it', async () => {
    await runTool(await open('google', SERVICES[0].answer), { query: 'who won' }, toolContext());
    expect(server.requests[0]).toMatchObject({
      method: 'POST',
      url: '/v1beta/models/gemini-2.5-flash:generateContent',
    });
    expect(JSON.parse(server.requests[0].body)).toEqual({
      contents: [{ role: 'user', parts: [{ text: 'who won' }] }],
      tools: [{ google_search: {} }],
    });
    await server.stop();
    await runTool(await open('tavily', SERVICES[2].answer), { query: 'who won' }, toolContext());
    expect(server.requests[0]).toMatchObject({ method: 'POST', url: '/search' });
    expect(JSON.parse(server.requests[0].body)).toEqual({ query: 'who won', max_results: 8, include_answer: false });
  });

  it('gives an answer of the service only where it is asked for, and offers it only where there is one', async () => {
    const google = await open('google', SERVICES[0].answer);
    const { result } = await runTool(google, { query: 'who won', answer: true }, toolContext());
    expect(result).toMatch(/^Answer: Spain won\. It beat England 2-1\.\n\n1\. one\.test\n/);
    await server.stop();
    const brave = await open('brave', SERVICES[1].answer);
    expect(Object.keys(brave.inputJsonSchema.properties as object)).toEqual(['query']);
    expect(await runTool(brave, { query: 'who won', answer: true }, toolContext())).toMatchObject({
      kind: 'invalid_arguments',
    });
  });

  it('says that nothing was found', async () => {
    const tool = await open('brave', (_, response) => json(response, { type: 'search' }));
    expect(await runTool(tool, { query: 'zzz' }, toolContext())).toEqual({ result: 'nothing found' });
  });

  it('bounds what it gives (I6)', async () => {
    const hit = { title: 'é'.repeat(900), url: 'https://one.test/', content: 'ü'.repeat(9_000) };
    const tool = await open('tavily', (_, response) => json(response, { results: Array(50).fill(hit) }));
    const { result = '' } = await runTool(tool, { query: 'long' }, toolContext());
    expect(Buffer.byteLength(result)).toBeLessThanOrEqual(8 * 1024);
  });

  it.each([
    [{}, 'a query is needed'],
    [{ query: '  ' }, 'a query is needed'],
    [{ query: 'a'.repeat(401) }, 'the query is longer than 400 characters'],
    [{ query: 'a '.repeat(51) }, 'the query has more than 50 words'],
    [{ query: 'a', url: 'http://127.0.0.1' }, 'Unrecognized key: "url"'],
    ['who won', 'Invalid input: expected object, received string'],
  ])('refuses malformed arguments %j without asking anybody', async (input, words) => {
    const tool = await open('tavily', SERVICES[2].answer);
    expect(await runTool(tool, input, toolContext())).toEqual({ mistake: words, kind: 'invalid_arguments' });
    expect(server.requests).toEqual([]);
  });

  const garbage: [name: string, answer: RequestListener, type?: string][] = [
    ['500', (_, response) => json(response, { error: `no ${KEY}` }, 500)],
    ['503', (_, response) => response.writeHead(503).end()],
    ['429', (_, response) => response.writeHead(429).end()],
    ['what is not JSON', (_, response) => response.end('<html>Bad gateway</html>'), 'ServiceAnswerInvalid'],
    [
      'JSON of another form',
      (_, response) => json(response, { results: 'none', candidates: 7, web: [] }),
      'ServiceAnswerInvalid',
    ],
    [
      'half a body',
      (_, response) => response.writeHead(200, { 'content-length': 99 }).write('{', () => response.destroy()),
    ],
    ['nothing', (_, response) => response.destroy()],
    ['a flood', (_, response) => response.end(Buffer.alloc(5 * 1024 * 1024, 32)), 'ServiceAnswerInvalid'],
  ];
  it.each(
    (['google', 'brave', 'tavily', 'searxng'] as const).flatMap((backend) =>
      garbage.map(([name, answer, type = 'ServiceUnavailable']) => ({ backend, name, answer, type })),
    ),
  )('takes $name from $backend for no answer: retried, and never a mistake (I2)', async ({ backend, answer, type }) => {
    const tool = await open(backend, answer);
    const failure = await runTool(tool, { query: 'who won' }, toolContext()).catch((error: unknown) => error);
    expect(failure).toMatchObject({ type, nonRetryable: false });
    expect(String(failure)).not.toContain(KEY);
    expect(server.requests).toHaveLength(1);
  });

  it('passes on how long a service wants to be left alone', async () => {
    const limited = await open('brave', (_, response) =>
      response.writeHead(429, { 'x-ratelimit-reset': '1, 999' }).end(),
    );
    await expect(runTool(limited, { query: 'a' }, toolContext())).rejects.toMatchObject({ nextRetryDelay: 1_000 });
    await server.stop();
    const busy = await open('tavily', (_, response) => response.writeHead(503, { 'retry-after': '12' }).end());
    await expect(runTool(busy, { query: 'a' }, toolContext())).rejects.toMatchObject({ nextRetryDelay: 12_000 });
  });

  it.each([400, 401, 403, 404, 422, 432, 302])(
    'fails for good at status %d, without the key in any message (I6)',
    async (status) => {
      const tool = await open('google', (request, response) =>
        response
          .writeHead(status, { location: 'http://elsewhere.test/' })
          .end(`API key ${String(request.headers['x-goog-api-key'])} not valid`),
      );
      const failure = await runTool(tool, { query: 'who won' }, toolContext()).catch((error: unknown) => error);
      expect(failure).toMatchObject({ type: 'ProviderRefused', nonRetryable: true });
      expect(String(failure)).toContain(`status ${status}`);
      expect(String(failure)).not.toContain(KEY);
      expect(server.requests).toHaveLength(1);
    },
  );

  it('takes a key out of what a service echoes (I6)', async () => {
    const tool = await open('tavily', ({ headers }, response) =>
      json(response, { results: [{ title: 'echo', url: 'https://e.test/', content: headers.authorization }] }),
    );
    expect((await runTool(tool, { query: 'a' }, toolContext())).result).toBe('1. echo\nhttps://e.test/\nBearer ***');
  });

  it('ends its request where the service hangs', async () => {
    const closed = new Promise((resolve) => {
      void open('brave', (_, response) => response.once('close', resolve)).then(async (tool) => {
        await expect(runTool({ ...tool, timeoutMs: 100 }, { query: 'a' }, toolContext())).rejects.toThrow(
          expect.objectContaining({ name: 'ToolTimedOut' }),
        );
      });
    });
    await closed;
  });
});
