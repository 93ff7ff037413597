import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LocalServer } from '../tools/testing/local-server.js';
import { BodyTooLarge, boundedFetch } from './bounded-body.js';

const LIMIT = 1_000;

describe(boundedFetch, () => {
  const fetch = boundedFetch(LIMIT);
  let server: LocalServer;
  let answer: { type: string; chunks: readonly string[] };

  beforeAll(async () => {
    server = await LocalServer.start((_, outgoing) => {
      outgoing.writeHead(200, { 'content-type': answer.type });
      const write = ([chunk, ...rest]: readonly string[]): void => {
        if (chunk === undefined) outgoing.end();
        else outgoing.write(chunk, () => write(rest));
      };
      write(answer.chunks);
    });
  });
  afterAll(() => server.stop());

  async function read(type: string, chunks: readonly string[]): Promise<string> {
    answer = { type, chunks };
    return (await fetch(server.url)).text();
  }

  it('hands a body on that is not too large, and ends one that is, before it has come to its end', async () => {
    const whole = ['x'.repeat(LIMIT / 2), 'y'.repeat(LIMIT / 2)];
    expect(await read('application/json', whole)).toBe(whole.join(''));
    const endless = Array.from({ length: 10_000 }, () => 'x'.repeat(1_000));
    await expect(read('application/json', endless)).rejects.toThrow(BodyTooLarge);
  });

  it('limits each event of a stream of events, wherever its parts are cut', async () => {
    // Far over the limit, or under it: between the two it depends on where the network cuts.
    const length = fc.oneof({ weight: 5, arbitrary: fc.nat(LIMIT - 20) }, fc.integer({ min: 140_000, max: 160_000 }));
    const event = fc.tuple(length, fc.constantFrom('\n\n', '\r\n\r\n', '\r\r'));
    const cut = fc.integer({ min: 20, max: 5_000 });
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 6 }), cut, async (events, size) => {
        const stream = events.map(([x, blank]) => `data: ${'x'.repeat(x)}${blank}`).join('');
        const chunks = stream.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
        const reading = read('text/event-stream', chunks);
        if (events.some(([x]) => x > LIMIT)) await expect(reading).rejects.toThrow(BodyTooLarge);
        else expect(await reading).toBe(stream);
      }),
      { numRuns: 40 },
    );
  });
});
