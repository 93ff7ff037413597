import { setTimeout as wait } from 'node:timers/promises';
import PQueue from 'p-queue';
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import type { WebClient, WebDocument } from '../http/web-client.js';
import { SiteUnavailable, WebRefused } from '../http/web-errors.js';
import type { Embedder } from '../ranking/embedder.js';
import { passagesOf } from '../ranking/passages.js';
import { rankPassages } from '../ranking/rank-passages.js';
import { writePassages } from '../ranking/write-passages.js';
import { defineTool, mistake, type Tool } from '../tool.js';
import { extractDocument } from './extract-document.js';

const TYPES = new Set([
  'text/html',
  'application/xhtml+xml',
  'application/pdf',
  'text/plain',
  'text/markdown',
  'text/csv',
  'text/xml',
  'application/xml',
  'application/json',
]);

const inputSchema = z.strictObject({
  url: z.string('a url is needed').trim().min(1, 'a url is needed').describe('of the page, with https://'),
  query: z
    .string('a query is needed: what to look for on the page')
    .trim()
    .min(1, 'a query is needed: what to look for on the page')
    .max(500, 'the query is longer than 500 characters')
    .describe('what to look for on the page'),
});

/** Waits between the tries of a site that is not available. */
const WAITS_MS = [1_000, 4_000];
const MAX_WAIT_MS = 10_000;

export interface WebReaderDependencies {
  web: Pick<WebClient, 'get'>;
  /** Without one, BM25 ranks. */
  embedder?: Embedder;
}

/**
 * Reads one page or PDF and gives the passages that fit the query. A site that is still not available at the third try
 * cannot be read: the planner chose it and can choose another. Only this machine's own network is an outage (I2).
 */
export function createWebReaderTool({ web, embedder }: WebReaderDependencies): Tool {
  const extractions = new PQueue({ concurrency: availableParallelism() });
  return defineTool({
    name: 'web_reader',
    title: 'Web_Reader',
    description: 'reads a web page or PDF and finds the passages that answer a query',
    inputSchema,
    subGoalField: 'query',
    metadata: {
      limitations: [
        'Public pages only: no logins, no scripts, no pictures.',
        'It reads the one address, not its links.',
      ],
      bestPractices: [
        'Give an address that a search or an earlier page showed, not a guessed one.',
        'Ask for one fact at a time.',
      ],
      demos: [
        {
          purpose: 'find a figure on a known page',
          arguments: { url: 'https://en.wikipedia.org/wiki/Danube', query: 'length in kilometres' },
        },
      ],
    },
    timeoutMs: 180_000,
    run: async ({ url, query }, { signal }) => {
      try {
        const document = await fetchPatiently(web, url, signal);
        const { title, blocks } = await extractions.add(() => extractDocument(document, signal), { signal });
        const passages = passagesOf(blocks);
        if (passages.length === 0) return mistake('not_found', 'the page has no text');
        const source = { title, url: document.url.href };
        const ranked = await rankPassages(query, passages, embedder, signal);
        return {
          result: writePassages(
            ranked.map((index) => ({ text: passages[index], place: index + 1, of: passages.length, source })),
          ),
        };
      } catch (error) {
        if (error instanceof WebRefused) return mistake(error.kind, error.message);
        if (error instanceof SiteUnavailable) return mistake('not_found', `${error.message}, tried three times`);
        throw error;
      }
    },
  });
}

async function fetchPatiently(web: Pick<WebClient, 'get'>, url: string, signal: AbortSignal): Promise<WebDocument> {
  for (const pause of WAITS_MS) {
    try {
      return await web.get(url, TYPES, signal);
    } catch (error) {
      if (!(error instanceof SiteUnavailable)) throw error;
      await wait(Math.min(Math.max(pause, error.retryAfterMs ?? 0), MAX_WAIT_MS), undefined, { signal });
    }
  }
  return web.get(url, TYPES, signal);
}
