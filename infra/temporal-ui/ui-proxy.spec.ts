import { once } from 'node:events';
import { createServer, request, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createUiProxy } from './ui-proxy.js';

interface Seen {
  method?: string;
  url?: string;
  headers: IncomingHttpHeaders;
  body: string;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** As a browser would send it: fetch() sets the Host header by itself. */
async function ask(
  port: number,
  { method = 'GET', path = '/', headers = {}, body = '' }: Partial<Omit<Seen, 'url'>> & { path?: string },
): Promise<{ status?: number; headers: IncomingHttpHeaders; body: string }> {
  const outgoing = request({ host: '127.0.0.1', port, method, path, headers });
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

describe(createUiProxy, () => {
  const seen: Seen[] = [];
  let ui: Server;
  let proxy: Server;
  let port: number;

  beforeAll(async () => {
    ui = createServer((incoming, outgoing) => {
      void text(incoming).then((body) => {
        seen.push({ method: incoming.method, url: incoming.url, headers: incoming.headers, body });
        if (incoming.url === '/half') return outgoing.writeHead(200).write('half', () => outgoing.destroy());
        outgoing.writeHead(201, { 'set-cookie': ['_csrf=one', 'other=two'], 'x-answer': 'yes' }).end('from the UI');
      });
    });
    proxy = createUiProxy(`http://127.0.0.1:${await listen(ui)}`);
    port = await listen(proxy);
  });
  beforeEach(() => void (seen.length = 0));
  afterAll(async () => {
    proxy.closeAllConnections();
    ui.closeAllConnections();
    await Promise.all([proxy, ui].map((server) => new Promise((resolve) => server.close(resolve))));
  });

  it.each(['127.0.0.1', 'localhost', 'LocalHost', '[::1]', 'localhost:9999'])(
    'answers to %s, with all that the UI says',
    async (host) => {
      const answer = await ask(port, { path: '/namespaces?x=%20y', headers: { host, cookie: '_csrf=one' } });
      expect(answer).toMatchObject({ status: 201, body: 'from the UI', headers: { 'x-answer': 'yes' } });
      expect(answer.headers['set-cookie']).toEqual(['_csrf=one', 'other=two']);
      expect(seen).toMatchObject([
        { method: 'GET', url: '/namespaces?x=%20y', headers: { host, cookie: '_csrf=one' } },
      ]);
    },
  );

  it.each([
    'evil.example',
    'evil.example:8233',
    '0.0.0.0',
    '0.0.0.0:8233',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'evil.example:127.0.0.1',
    '127.0.0.2',
    '2130706433',
    '[::ffff:127.0.0.1]',
    '[::]',
    'localhost@evil.example',
    '127.0.0.1, evil.example',
  ])('does not ask the UI for the host "%s": a page reached it under a name of its own', async (host) => {
    const answer = await ask(port, { headers: { host } });
    expect(answer).toMatchObject({ status: 421, body: expect.stringContaining('Host header') });
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(seen).toEqual([]);
  });

  it.each(['https://evil.example', 'http://evil.example', 'null', 'http://localhost:3000', 'https://localhost'])(
    'does not ask the UI for a page of %s, which needs no rebinding to send requests',
    async (origin) => {
      const headers = { host: 'localhost', origin, 'content-type': 'text/plain' };
      const answer = await ask(port, { method: 'POST', headers, body: '{"workflowType":{"name":"agentFlow"}}' });
      expect(answer.status).toBe(403);
      expect(seen).toEqual([]);
    },
  );

  it.each([{ 'content-length': '7' }, { 'transfer-encoding': 'chunked' }])(
    'passes on what a page of the UI itself sends (%p)',
    async (framing) => {
      const headers = { host: 'localhost:8233', origin: 'http://localhost:8233', ...framing };
      expect((await ask(port, { method: 'POST', path: '/api/v1/x', headers, body: '{"a":1}' })).status).toBe(201);
      expect(seen).toMatchObject([{ method: 'POST', url: '/api/v1/x', body: '{"a":1}' }]);
    },
  );

  it('keeps headers of the connection to itself', async () => {
    const headers = { host: 'localhost', connection: 'close, x-mine', 'x-mine': '1', te: 'trailers', 'x-other': '2' };
    await ask(port, { headers });
    expect(seen[0].headers).toMatchObject({ 'x-other': '2' });
    expect(seen[0].headers).not.toHaveProperty('x-mine');
    expect(seen[0].headers).not.toHaveProperty('te');
  });

  it('is no proxy to anywhere else', async () => {
    expect((await ask(port, { path: 'http://evil.example/', headers: { host: 'localhost' } })).status).toBe(400);
    expect(seen).toEqual([]);
  });

  it('does not ask the UI for two hosts', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.end('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 [^]*several Host headers/);
    expect(seen).toEqual([]);
  });

  it('ends the connection where the UI ends it within an answer', async () => {
    await expect(ask(port, { path: '/half', headers: { host: 'localhost' } })).rejects.toThrow(/aborted|hang up/);
  });

  it('says that the UI does not answer', async () => {
    const closed = createServer();
    const nowhere = await listen(closed);
    await new Promise((resolve) => closed.close(resolve));
    const lonely = createUiProxy(`http://127.0.0.1:${nowhere}`);
    const answer = await ask(await listen(lonely), { headers: { host: 'localhost' } });
    expect(answer).toMatchObject({ status: 502, body: expect.stringContaining('does not answer') });
    lonely.closeAllConnections();
    await new Promise((resolve) => lonely.close(resolve));
  });
});
