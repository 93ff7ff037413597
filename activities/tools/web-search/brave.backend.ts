import { z } from 'zod';
import { ServiceClient } from '../http/service-client.js';
import { HITS, type SearchBackend } from './search-backend.js';
import { withoutMarkup } from './without-markup.js';

const answerSchema = z.object({
  web: z
    .object({
      results: z.array(
        z.object({
          title: z.string(),
          url: z.string(),
          description: z.string().default(''),
          extra_snippets: z.array(z.string()).default([]),
        }),
      ),
    })
    .default({ results: [] }),
});

/** Brave's web search. Its texts hold HTML marks and entities. */
export function braveBackend({ key, url }: { key?: string; url: string }): SearchBackend {
  const client = new ServiceClient('The Brave search');
  return {
    answers: false,
    search: async (query, _, signal) => {
      const address = new URL('/res/v1/web/search', url);
      address.search = new URLSearchParams({
        q: query,
        count: String(HITS),
        extra_snippets: 'true',
        text_decorations: 'false',
      }).toString();
      const { web } = await client.json(address, answerSchema, signal, {
        headers: { 'x-subscription-token': key ?? '' },
      });
      return {
        hits: web.results.slice(0, HITS).map(({ title, url, description, extra_snippets: extra }) => ({
          title: withoutMarkup(title),
          url,
          snippet: withoutMarkup([description, ...extra].join(' ')),
        })),
      };
    },
  };
}
