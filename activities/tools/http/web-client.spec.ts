import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { webAccessSection } from '../../../infra/config/operator/web-access.js';
import { LocalServer } from '../testing/local-server.js';
import { WebClient } from './web-client.js';

const HTML = new Set(['text/html']);
const TEN_KIB = 10 / 1024;

function clientFor(port: number, more = {}): WebClient {
  return new WebClient(
    webAccessSection.parse({
      user_agent: 'agentflow (mail@operator.test)',
      addresses: ['127.0.0.1/32'],
      ports: [port],
      ...more,
    }),
  );
}

const html = (response: ServerResponse, headers = {}) =>
  response.writeHead(200, { 'content-type': 'text/html; charset="ISO-8859-1"', ...headers });

describe(WebClient, () => {
  let server: LocalServer;
  const serve = async (answer: RequestListener) => (server = await LocalServer.start(answer));
  const get = (more = {}, signal = new AbortController().signal) =>
    clientFor(server.port, more).get(`${server.url}/page`, HTML, signal);

  afterEach(() => server.stop());

  it('fetches a page with the user agent of the operator, and no key, cookie or referrer', async () => {
    await serve((_, response) => html(response).end('hello'));
    const page = await get();
    expect({ ...page, url: page.url.pathname, bytes: String(page.bytes) }).toEqual({
      url: '/page',
      contentType: 'text/html',
      charset: 'iso-8859-1',
      bytes: 'hello',
    });
    const { headers } = server.requests[0];
    expect(headers['user-agent']).toBe('agentflow (mail@operator.test)');
    expect(Object.keys(headers).sort()).toEqual(['accept', 'accept-encoding', 'connection', 'host', 'user-agent']);
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('decompresses %s, and stops a decompression bomb at the limit', async (encoding, compress) => {
    const bodies = [compress(Buffer.from('hello')), compress(Buffer.alloc(64 * 1024 * 1024))];
    await serve((_, response) => html(response, { 'content-encoding': encoding }).end(bodies.shift()));
    expect(String((await get()).bytes)).toBe('hello');
    await expect(get({ max_mib: TEN_KIB })).rejects.toThrow(
      expect.objectContaining({ name: 'WebRefused', kind: 'output_limit' }),
    );
  });

  it.each([
    ['gzip without a header', {}, gzipSync('hello')],
    ['a header for what is not compressed', { 'content-encoding': 'gzip' }, 'hello'],
    ['deflate without its frame', { 'content-encoding': 'deflate' }, deflateRawSync('hello')],
    ['nothing, compressed', { 'content-encoding': 'gzip' }, ''],
  ])('reads %s, as servers send it', async (_, headers, body) => {
    await serve((_request, response) => html(response, headers).end(body));
    expect(String((await get()).bytes)).toBe(body === '' ? '' : 'hello');
  });

  it('refuses compressions in several layers', async () => {
    await serve((_, response) => html(response, { 'content-encoding': 'gzip, gzip' }).end('x'));
    await expect(get()).rejects.toThrow(expect.objectContaining({ kind: 'refused' }));
  });

  it('refuses a body whose stated length is over the limit, and ends an endless one there', async () => {
    const closed: Promise<unknown>[] = [];
    await serve(({ url }, response) => {
      closed.push(once(response, 'close'));
      if (closed.length === 1) return html(response, { 'content-length': 1e12 }).flushHeaders();
      html(response);
      const flood = () => {
        if (!response.destroyed) response.write(`${url}`.padEnd(4096), flood);
      };
      flood();
    });
    await expect(get({ max_mib: TEN_KIB })).rejects.toThrow(expect.objectContaining({ kind: 'output_limit' }));
    await expect(get({ max_mib: TEN_KIB })).rejects.toThrow(expect.objectContaining({ kind: 'output_limit' }));
    await Promise.all(closed);
  });

  it('ends the connection of a site that hangs, before and within its answer, at the time limit', async () => {
    const closed: Promise<unknown>[] = [];
    await serve((_, response) => {
      closed.push(once(response, 'close'));
      if (closed.length === 2) html(response).write('half of it');
    });
    for (let time = 1; time <= 2; time += 1) {
      await expect(get({ timeout_s: 0.3 })).rejects.toThrow(expect.objectContaining({ name: 'SiteUnavailable' }));
    }
    await Promise.all(closed);
  });

  it('ends the connection with the signal, whose reason it throws', async () => {
    const controller = new AbortController();
    let closed: Promise<unknown> | undefined;
    await serve((_, response) => {
      closed = once(response, 'close');
      controller.abort(new Error('cancelled'));
    });
    await expect(get({}, controller.signal)).rejects.toThrow('cancelled');
    await closed;
  });

  it.each([500, 503, 408, 429])(
    'takes status %d for a site that is not available, with its retry-after',
    async (status) => {
      await serve((_, response) => response.writeHead(status, { 'retry-after': '7' }).end());
      await expect(get()).rejects.toThrow(
        expect.objectContaining({
          name: 'SiteUnavailable',
          retryAfterMs: 7_000,
          message: expect.stringContaining(`${status}`),
        }),
      );
    },
  );

  it.each([404, 401, 410, 204, 304])('says that there is no page where the status is %d', async (status) => {
    await serve((_, response) => response.writeHead(status).end());
    await expect(get()).rejects.toThrow(expect.objectContaining({ name: 'WebRefused', kind: 'not_found' }));
  });

  it.each(['image/png', 'application/octet-stream', 'text/html-ish', undefined])(
    'does not read what is of type %s',
    async (type) => {
      await serve((_, response) => response.writeHead(200, type ? { 'content-type': type } : {}).end('x'));
      await expect(get()).rejects.toThrow(expect.objectContaining({ name: 'WebRefused', kind: 'not_found' }));
    },
  );

  it('takes half a body for a site that is not available', async () => {
    const bodies: RequestListener[] = [
      (_, response) => html(response, { 'content-length': 100 }).write('half', () => response.destroy()),
      (_, response) => html(response).write('half', () => response.destroy()),
      (_, response) => html(response, { 'content-encoding': 'gzip' }).end(gzipSync('a whole page').subarray(0, 20)),
    ];
    await serve((incoming, response) => bodies.shift()?.(incoming, response));
    for (let left = 3; left > 0; left -= 1) {
      await expect(get()).rejects.toThrow(expect.objectContaining({ name: 'SiteUnavailable' }));
    }
  });

  it('takes an answer that is no HTTP, or none, for a site that is not available', async () => {
    await serve((_, response) => response.end());
    const garbage = createServer((socket) =>
      socket
        .on('error', () => undefined)
        .resume()
        .end('\u0000\u0001 this is not HTTP\r\n\r\n'),
    );
    await new Promise<void>((resolve) => garbage.listen(0, '127.0.0.1', resolve));
    const { port } = garbage.address() as AddressInfo;
    const ask = () => clientFor(port).get(`http://127.0.0.1:${port}/`, HTML, new AbortController().signal);
    await expect(ask()).rejects.toThrow(expect.objectContaining({ name: 'SiteUnavailable' }));
    await new Promise((resolve) => garbage.close(resolve));
    await expect(ask()).rejects.toThrow(expect.objectContaining({ name: 'SiteUnavailable' }));
  });

  it('does not wait longer for a name service that hangs', async () => {
    await serve((_, response) => response.end());
    const access = webAccessSection.parse({ user_agent: 'test', timeout_s: 0.2 });
    const web = new WebClient(access, () => new Promise(() => undefined));
    await expect(web.get('http://site.test/', HTML, new AbortController().signal)).rejects.toThrow(
      expect.objectContaining({ name: 'SiteUnavailable' }),
    );
  });

  it('tells a name that does not exist from a name service that does not answer: the second is an outage (I2)', async () => {
    await serve((_, response) => response.end());
    const access = webAccessSection.parse({ user_agent: 'test' });
    const failing = (code: string) =>
      new WebClient(access, () => Promise.reject(Object.assign(new Error(code), { code }))).get(
        'http://site.test/',
        HTML,
        new AbortController().signal,
      );
    await expect(failing('ENOTFOUND')).rejects.toThrow(expect.objectContaining({ name: 'WebRefused' }));
    await expect(failing('EAI_AGAIN')).rejects.toThrow(expect.objectContaining({ name: 'Error', code: 'EAI_AGAIN' }));
  });
});
