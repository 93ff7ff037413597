import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CliError } from '../cli-error.js';
import { ApiClient } from './api-client.js';
import { ApiUnreachable, NotOurApi } from './api-errors.js';

describe('another program at the address of the API', () => {
  const servers: Server[] = [];
  afterEach(() => servers.splice(0).forEach((server) => server.close()));

  /** A client of a server, which may speak something else than HTTP. */
  const clientOf = async (server: Server): Promise<ApiClient> => {
    servers.push(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new ApiClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key: 'af-key' });
  };
  const answering = (answer: (response: ServerResponse) => void) =>
    clientOf(createServer((_, response) => answer(response.setHeader('connection', 'close'))));
  const answer = (status: number, type: string | undefined, body: string, headers: Record<string, string> = {}) =>
    answering((response) =>
      response.writeHead(status, { ...(type && { 'content-type': type }), ...headers }).end(body),
    );

  it.each<[string, number, string | undefined, string, RegExp]>([
    ['a page', 200, 'text/html; charset=utf-8', '<!doctype html><p>Hello', /HTTP 200, text\/html; charset=utf-8/],
    ['a page instead of an error', 404, 'text/html', '<h1>Not found', /HTTP 404, text\/html/],
    ['an error of another shape', 404, 'application/json', '{"detail":"Not Found"}', /HTTP 404, application\/json/],
    ['an error in words', 401, 'application/json', '{"error":"Unauthorized"}', /HTTP 401/],
    ['a list', 200, 'application/json', '[]', /HTTP 200, application\/json/],
    ['an object of another kind', 200, 'application/json', '{"status":"ok"}', /HTTP 200/],
    ['nothing', 200, undefined, '', /HTTP 200, without a type/],
  ])('is told from the API by %s', async (_, status, type, body, says) => {
    const error: unknown = await (await answer(status, type, body)).getRun('run-a').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NotOurApi);
    const { message } = error as Error;
    expect(message).toMatch(/^Another program answers at http:\/\/127\.0\.0\.1:\d+, not the API of AgentFlow\. /);
    expect(message).toMatch(says);
    expect(message).toMatch(/answered GET \/v1\/training_runs\/\{id\} with .*npm run status.*AGENTFLOW_API_URL/);
  });

  it('gets no key by sending the command elsewhere', async () => {
    const stolen: unknown[] = [];
    const thief = createServer((request, response) => {
      stolen.push(request.headers.authorization);
      response.end();
    });
    const { url } = (await clientOf(thief)).access;
    const client = await answer(302, undefined, '', { location: url });
    await expect(client.listRuns()).rejects.toThrow(`HTTP 302, a redirection to ${url}`);
    expect(stolen).toEqual([]);
  });

  it('may speak no HTTP, say nothing, or break off', async () => {
    const garbage = createTcpServer((socket) => socket.end('-ERR unknown command\r\n'));
    await expect((await clientOf(garbage)).listRuns()).rejects.toThrow(/Another program.*no HTTP/);
    const closing = createTcpServer((socket) => socket.destroy());
    await expect((await clientOf(closing)).listRuns()).rejects.toBeInstanceOf(ApiUnreachable);
    const cut = await answering((response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' }).write('{"object":');
      setTimeout(() => response.destroy(), 50);
    });
    await expect(cut.listRuns()).rejects.toBeInstanceOf(ApiUnreachable);
  });

  it('has no stream of events', async () => {
    const client = await answer(200, 'application/json', '{"object":"list","data":[]}');
    await expect(client.followFlow('flow-a').next()).rejects.toBeInstanceOf(NotOurApi);
  });

  it('is an error in a sentence, whatever it answers', async () => {
    const status = fc.integer({ min: 200, max: 599 });
    const body = fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.constant('{"error":{"message":1}}'));
    const type = fc.constantFrom(undefined, 'application/json', 'text/html', 'text/event-stream');
    await fc.assert(
      fc.asyncProperty(status, type, body, async (...given) => {
        const client = await answer(...given);
        for (const asked of [client.getFlow('flow-a'), client.listRollouts({ run_id: 'run-a' })]) {
          const error: unknown = await asked.catch((thrown: unknown) => thrown);
          if (given[0] === 202 || given[0] === 204) continue; // what these say is said without words
          expect(error).toBeInstanceOf(CliError);
          expect((error as Error).message).not.toContain('\n');
        }
      }),
      { numRuns: 60 },
    );
  });
});
