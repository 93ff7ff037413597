import { parseHTML } from 'linkedom';
import { z } from 'zod';
import { ServiceClient } from '../http/service-client.js';
import { HITS, type SearchBackend } from './search-backend.js';

/** Of a snippet that is read. */
const MAX_CHARACTERS = 4_000;

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

/** The text of a short piece of HTML, such as a search engine's snippet with its marks and entities. */
function withoutMarkup(html: string): string {
  // The library's types are those of a browser, which this project does not load.
  const { document } = parseHTML(
    `<!doctype html><html><body>${html.slice(0, MAX_CHARACTERS)}</body></html>`,
  ) as unknown as { document: { body: { textContent: string } } };
  return document.body.textContent.replace(/\s+/g, ' ').trim();
}
