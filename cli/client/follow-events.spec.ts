import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ApiClient } from './api-client.js';
import { followEvents } from './follow-events.js';

/** A server whose n-th connection plays the n-th script; it records what it was asked for. */
type Script = (write: (text: string) => void, end: () => void, destroy: () => void) => void;

describe(followEvents, () => {
  let server: Server | undefined;
  const asked: (string | undefined)[] = [];

  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    asked.length = 0;
  });

  const serve = async (...scripts: (Script | number)[]): Promise<ApiClient> => {
    server = createServer((request, response) => {
      asked.push(request.headers['last-event-id'] as string | undefined);
      const script = scripts[asked.length - 1] ?? 204;
      if (typeof script === 'number') return void response.writeHead(script).end();
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
      script(
        (text) => response.write(text),
        () => response.end(),
        () => response.destroy(),
      );
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    return new ApiClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key: 'key' });
  };
  const collect = async (client: ApiClient, lost: unknown[] = []): Promise<number[]> => {
    const seen: number[] = [];
    for await (const event of client.followEvents('run', { onReconnect: (error) => lost.push(error) })) {
      seen.push(event.sequence);
    }
    return seen;
  };

  it('goes on after the last whole event when a connection breaks, and ends on 204', async () => {
    const lost: unknown[] = [];
    const client = await serve(
      (write, _, destroy) => {
        write(`${event(1)}: heartbeat\n\n${event(2)}`);
        setTimeout(() => {
          write(event(3).slice(0, 20));
          destroy();
        }, 50);
      },
      503,
      (write, end) => {
        write(event(3));
        end();
      },
    );
    expect(await collect(client, lost)).toEqual([1, 2, 3]);
    expect(asked).toEqual(['0', '2', '2', '3']);
    expect(lost).toHaveLength(2);
  });

  it('puts events together that arrive in pieces', async () => {
    const text = event(1) + event(2);
    const client = await serve((write, end) => {
      [...text].forEach((character) => write(character));
      end();
    });
    expect(await collect(client)).toEqual([1, 2]);
  });

  it('reads an event whose text has line separators of Unicode, which end no line of a stream', async () => {
    const client = await serve((write) => write(event(1, 'run.completed', 'a\u2028b\u2029c\u0085d')));
    expect(await collect(client)).toEqual([1]);
    expect(asked).toEqual(['0']);
  });

  it('ends with the last event, whether the stream is closed, broken or left open after it', async () => {
    for (const over of ['end', 'destroy', 'stay'] as const) {
      const client = await serve((write, end, destroy) => {
        write(event(1) + event(2, 'run.failed'));
        if (over === 'end') end();
        if (over === 'destroy') setTimeout(destroy, 50);
      });
      expect(await collect(client)).toEqual([1, 2]);
      expect(asked).toEqual(['0']);
      server?.closeAllConnections();
      asked.length = 0;
    }
  });

  it('goes on after the end of a run that was revived', async () => {
    const client = await serve((write, end) => {
      write(event(1, 'run.failed') + event(2, 'run.running'));
      end();
    });
    expect(await collect(client)).toEqual([1, 2]);
    expect(asked).toEqual(['0', '2']);
  });

  it.each([
    ['no JSON', 'data: {"sequence":\n\n'],
    ['no event of a run', 'data: {"object":"chat.completion.chunk"}\n\n'],
    ['nothing', 'data: null\n\n'],
  ])('throws at an event that it does not understand, which would come again: %s', async (_, text) => {
    const client = await serve((write) => write(text));
    await expect(collect(client)).rejects.toThrow(/does not understand: /);
    expect(asked).toEqual(['0']);
  });

  it('throws what the API refuses', async () => {
    await expect(collect(await serve(404))).rejects.toThrow(/Another program answers/);
  });

  it('ends quietly when it is told to stop', async () => {
    const client = await serve((write) => write(event(1)));
    const stop = new AbortController();
    for await (const { sequence } of client.followEvents('run', { signal: stop.signal })) {
      expect(sequence).toBe(1);
      stop.abort();
    }
    expect(asked).toEqual(['0']);
  });
});

function event(sequence: number, type = 'step.completed', text = 'é'): string {
  return `id: ${sequence}\nevent: ${type}\ndata: ${JSON.stringify({ sequence, type, text })}\n\n`;
}
