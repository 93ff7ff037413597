import { z } from 'zod';
import { ServiceClient } from '../http/service-client.js';
import { HITS, type SearchBackend } from './search-backend.js';

const answerSchema = z.object({
  answer: z.string().nullish(),
  results: z.array(z.object({ title: z.string(), url: z.string(), content: z.string().default('') })),
});

export function tavilyBackend({ key, url }: { key?: string; url: string }): SearchBackend {
  const client = new ServiceClient('The Tavily search');
  return {
    answers: true,
    search: async (query, answer, signal) => {
      const found = await client.json(new URL('/search', url), answerSchema, signal, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}` },
        body: { query, max_results: HITS, include_answer: answer },
      });
      const hits = found.results.slice(0, HITS).map(({ title, url, content }) => ({ title, url, snippet: content }));
      return { hits, ...(answer && { answer: found.answer ?? '' }) };
    },
  };
}
