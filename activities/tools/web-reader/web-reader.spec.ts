import type { RequestListener } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { webAccessSection } from '../../../infra/config/operator/web-access.js';
import { WebClient } from '../http/web-client.js';
import { runTool } from '../run-tool.js';
import { LocalServer } from '../testing/local-server.js';
import { pdfOf } from '../testing/pdf.js';
import { toolContext } from '../testing/tool-context.js';
import { createWebReaderTool } from './web-reader.tool.js';

/** Tests start Node processes and wait as long as the tool waits for a site. */
const PATIENCE = 60_000;

const filler = 'The valley has a long history, which many people have told in many ways. '.repeat(40);
const page = `<html><head><title>Elm River</title></head><body><article><p>${filler}</p>
  <p>It is 412 kilometres long, measured from its spring.</p><p>${filler}</p></article></body></html>`;

describe('web reader', () => {
  let server: LocalServer;
  const open = async (answer: RequestListener) => {
    server = await LocalServer.start(answer);
    const access = { user_agent: 'test', addresses: ['127.0.0.1/32'], ports: [80, server.port] };
    return createWebReaderTool({ web: new WebClient(webAccessSection.parse(access)) });
  };
  const query = 'how long is it in kilometres';
  afterEach(() => server.stop());

  it(
    'gives the passages of a page that fit the query, best first, with their places and the address',
    async () => {
      const tool = await open((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(page));
      const { result = '' } = await runTool(tool, { url: `${server.url}/elm`, query }, toolContext());
      expect(result.split('\n').slice(0, 2)).toEqual(['Elm River', `${server.url}/elm`]);
      expect(result.split('[passage')[1]).toMatch(/^ \d of \d\] .*412 kilometres/s);
      expect(Buffer.byteLength(result)).toBeLessThanOrEqual(8 * 1024);
    },
    PATIENCE,
  );

  it(
    'reads a PDF behind a redirect, and names the address where it lies',
    async () => {
      const tool = await open(({ url }, response) =>
        url === '/paper.pdf'
          ? response
              .writeHead(200, { 'content-type': 'application/pdf' })
              .end(pdfOf(['Abstract', 'It is 412 kilometres long.']))
          : response.writeHead(302, { location: '/paper.pdf' }).end(),
      );
      const { result } = await runTool(tool, { url: server.url, query }, toolContext());
      expect(result).toBe(`${server.url}/paper.pdf\n[passage 1 of 1] Abstract\nIt is 412 kilometres long.`);
    },
    PATIENCE,
  );

  it.each([
    ['http://169.254.169.254/latest/', 'refused', '169.254.169.254 is not a public address'],
    ['file:///etc/passwd', 'refused', 'only http:// and https:// can be read, not file:'],
    ['example.org', 'invalid_arguments', 'the address is not a URL'],
    ['http://127.0.0.1:22/', 'refused', 'port 22 may not be read'],
  ])('tells the planner in words why it does not read %s (I10)', async (url, kind, words) => {
    const tool = await open((_, response) => response.end());
    expect(await runTool(tool, { url, query }, toolContext())).toEqual({ mistake: words, kind });
  });

  it.each([
    [{ query }, 'a url is needed'],
    [{ url: 'https://example.org' }, 'a query is needed: what to look for on the page'],
    [{ url: ['https://example.org'], query }, 'a url is needed'],
    [{ url: 'https://example.org', query: 'a'.repeat(501) }, 'the query is longer than 500 characters'],
  ])('refuses malformed arguments %#', async (input, words) => {
    const tool = await open((_, response) => response.end());
    expect(await runTool(tool, input, toolContext())).toEqual({ mistake: words, kind: 'invalid_arguments' });
  });

  it(
    'tries a site again that is not available, and takes it at the third time for one that cannot be read',
    async () => {
      const statuses = [503, 200, 500, 429, 503];
      const tool = await open((_, response) => {
        const status = statuses.shift() ?? 500;
        response.writeHead(status, { 'content-type': 'text/plain' }).end('It is here.');
      });
      const read = () => runTool(tool, { url: `${server.url}/here`, query }, toolContext());
      expect((await read()).result).toContain('It is here.');
      expect(await read()).toEqual({
        mistake: 'the site answers with status 503, tried three times',
        kind: 'not_found',
      });
      expect(server.requests).toHaveLength(5);
    },
    PATIENCE,
  );

  it(
    'says that a page without text, or without a whole document, cannot be read',
    async () => {
      const tool = await open(({ url }, response) =>
        url === '/empty'
          ? response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body><script>1</script></body></html>')
          : response.writeHead(200, { 'content-type': 'application/pdf' }).end('%PDF-1.7 no more'),
      );
      const read = (path: string) => runTool(tool, { url: `${server.url}${path}`, query }, toolContext());
      expect(await read('/empty')).toEqual({ mistake: 'the page has no text', kind: 'not_found' });
      expect(await read('/broken')).toMatchObject({
        kind: 'not_found',
        mistake: expect.stringMatching(/cannot be read/),
      });
    },
    PATIENCE,
  );

  it('ends its request where the site hangs longer than the tool may take: an outage (I2)', async () => {
    let close: () => void;
    const closed = new Promise<void>((resolve) => (close = resolve));
    const tool = await open((_, response) => response.once('close', close));
    await expect(runTool({ ...tool, timeoutMs: 200 }, { url: server.url, query }, toolContext())).rejects.toThrow(
      expect.objectContaining({ name: 'ToolTimedOut' }),
    );
    await closed;
  });

  it("passes an outage of this machine's own network on (I2)", async () => {
    server = await LocalServer.start((_, response) => response.end());
    const down = () => Promise.reject(Object.assign(new Error('no name server'), { code: 'EAI_AGAIN' }));
    const web = new WebClient(webAccessSection.parse({ user_agent: 'test' }), down);
    await expect(
      runTool(createWebReaderTool({ web }), { url: 'https://example.org', query }, toolContext()),
    ).rejects.toThrow('no name server');
  });
});
