import { z } from 'zod';
import { ServiceClient } from '../http/service-client.js';
import { HITS, type SearchBackend } from './search-backend.js';

const answerSchema = z.object({
  results: z.array(z.object({ title: z.string(), url: z.string(), content: z.string().nullish() })),
});

/** A SearXNG server of the operator's. It shows no number of results: it gives a page of them. */
export function searxngBackend({ key, url }: { key?: string; url: string }): SearchBackend {
  const client = new ServiceClient('The SearXNG search');
  return {
    answers: false,
    search: async (query, _, signal) => {
      const address = new URL(url);
      address.pathname = `${address.pathname.replace(/\/$/, '')}/search`;
      address.search = new URLSearchParams({ q: query, format: 'json' }).toString();
      const { results } = await client.json(address, answerSchema, signal, {
        headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
      });
      return {
        hits: results.slice(0, HITS).map(({ title, url, content }) => ({ title, url, snippet: content ?? '' })),
      };
    },
  };
}
