import { z } from 'zod';
import type { WikipediaSection } from '../../../infra/config/operator/wikipedia.js';
import type { Embedder } from '../ranking/embedder.js';
import { passagesOf } from '../ranking/passages.js';
import { rankPassages } from '../ranking/rank-passages.js';
import { type Passage, writePassages } from '../ranking/write-passages.js';
import { defineTool, type Tool } from '../tool.js';
import { WikipediaApi } from './wikipedia-api.js';

/** Pages whose text is read. */
const PAGES = 3;

export interface WikipediaDependencies {
  settings: WikipediaSection;
  userAgent: string;
  /** Without one, BM25 ranks. */
  embedder?: Embedder;
}

/** Searches an edition of Wikipedia, reads the best pages and gives the passages that fit the query. */
export function createWikipediaTool({ settings, userAgent, embedder }: WikipediaDependencies): Tool {
  const api = new WikipediaApi(settings.url, userAgent);
  const [first, ...others] = settings.languages;
  const languages = z.enum([first, ...others], `language is one of ${settings.languages.join(', ')}`);

  const readPages = async (language: string, query: string, signal: AbortSignal): Promise<Passage[]> => {
    const passages: Passage[] = [];
    for (const id of await api.search(language, query, PAGES, signal)) {
      const page = await api.page(language, id, signal);
      if (!page) continue;
      const texts = passagesOf(
        page.text
          .split(/\n+/)
          .map((line) => line.trim())
          .filter(Boolean),
      );
      const source = { title: page.title, url: page.url };
      passages.push(...texts.map((text, index) => ({ text, place: index + 1, of: texts.length, source })));
    }
    return passages;
  };

  return defineTool({
    name: 'wikipedia',
    title: 'Wikipedia_Search',
    description: 'finds passages of Wikipedia that answer a query',
    inputSchema: z.strictObject({
      query: z
        .string('a query is needed')
        .trim()
        .min(1, 'a query is needed')
        .max(300, 'the query is longer than 300 characters')
        .describe('what to look for, with the names it is about'),
      language: languages.default(first).describe('edition'),
    }),
    subGoalField: 'query',
    metadata: {
      limitations: ['Wikipedia only, as it stands today.', `It reads the ${PAGES} pages that match best.`],
      bestPractices: ['Name the subject as its article would be called.', 'One subject for each search.'],
      demos: [{ purpose: 'find a fact on a subject', arguments: { query: 'Danube length' } }],
    },
    timeoutMs: 120_000,
    run: async ({ query, language }, { signal }) => {
      const passages = await readPages(language, query, signal);
      const texts = passages.map(({ source, text }) => `${source.title}\n${text}`);
      const ranked = await rankPassages(query, texts, embedder, signal);
      return { result: writePassages(ranked.map((index) => passages[index])) || 'nothing found' };
    },
  });
}
