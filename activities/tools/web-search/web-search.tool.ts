import { z } from 'zod';
import type { WebSearchSection } from '../../../infra/config/operator/web-search.js';
import type { WithKey } from '../../../infra/config/secrets.js';
import { redactKnownIn } from '../../../infra/redaction/redact.js';
import { cutText, MEMORY_BYTES } from '../../text/cut-text.js';
import { defineTool, type Tool } from '../tool.js';
import { braveBackend } from './brave.backend.js';
import { googleBackend } from './google.backend.js';
import type { SearchBackend, SearchHit, SearchResult } from './search-backend.js';
import { searxngBackend } from './searxng.backend.js';
import { tavilyBackend } from './tavily.backend.js';

/** What the narrowest of the services takes. */
const MAX_CHARACTERS = 400;
const MAX_WORDS = 50;
const TITLE_BYTES = 200;
const SNIPPET_BYTES = 600;

const hitsOnly = z.strictObject({
  query: z
    .string('a query is needed')
    .trim()
    .min(1, 'a query is needed')
    .max(MAX_CHARACTERS, `the query is longer than ${MAX_CHARACTERS} characters`)
    .refine((query) => query.split(/\s+/).length <= MAX_WORDS, `the query has more than ${MAX_WORDS} words`)
    .describe('what to search for, in a few words or as a question'),
});

const hitsOrAnswer = hitsOnly.extend({
  answer: z.boolean('answer is true or false').default(false).describe('also let the service write an answer'),
});

/** Hits of a search engine: titles, addresses, snippets. An answer of the service only where it is asked for. */
export function createWebSearchTool(settings: WithKey<WebSearchSection>): Tool {
  const backend = openBackend(settings);
  return defineTool({
    name: 'web_search',
    title: 'Web_Search',
    description: 'searches the web and lists pages with snippets',
    inputSchema: backend.answers ? hitsOrAnswer : hitsOnly,
    subGoalField: 'query',
    metadata: {
      limitations: [
        'Snippets are short and may be out of date.',
        'Little of what is behind logins, in videos or in images.',
      ],
      bestPractices: [
        'One subject for each search, with its names and numbers.',
        'Read a promising page with the web reader before relying on its snippet.',
      ],
      demos: [{ purpose: 'find pages on a fact', arguments: { query: 'height of the Eiffel Tower in metres' } }],
    },
    timeoutMs: 60_000,
    run: async ({ query, ...rest }, { signal }) => {
      const answer = 'answer' in rest && rest.answer === true;
      const found = redactKnownIn(await backend.search(query, answer, signal)); // before parts of it are cut
      return { result: cutText(written(found), MEMORY_BYTES) };
    },
  });
}

function openBackend(settings: WithKey<WebSearchSection>): SearchBackend {
  switch (settings.backend) {
    case 'google':
      return googleBackend(settings);
    case 'brave':
      return braveBackend(settings);
    case 'tavily':
      return tavilyBackend(settings);
    case 'searxng':
      return searxngBackend(settings);
  }
}

function written({ hits, answer }: SearchResult): string {
  const listed = hits.map(writtenHit).join('\n\n') || 'nothing found';
  return answer ? `Answer: ${cutText(answer, MEMORY_BYTES / 4)}\n\n${listed}` : listed;
}

function writtenHit({ title, url, snippet }: SearchHit, index: number): string {
  return `${index + 1}. ${cutText(title, TITLE_BYTES)}\n${url}\n${cutText(snippet, SNIPPET_BYTES)}`.trim();
}
