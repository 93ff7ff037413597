import { z } from 'zod';
import { ServiceClient } from '../http/service-client.js';
import { HITS, type SearchBackend, type SearchHit } from './search-backend.js';

const metadata = z.object({
  groundingChunks: z
    .array(z.object({ web: z.object({ uri: z.string(), title: z.string().default('') }).optional() }))
    .default([]),
  groundingSupports: z
    .array(
      z.object({
        segment: z.object({ text: z.string().default('') }).default({ text: '' }),
        groundingChunkIndices: z.array(z.int()).default([]),
      }),
    )
    .default([]),
});

const answerSchema = z.object({
  candidates: z
    .array(
      z.object({
        content: z.object({ parts: z.array(z.object({ text: z.string().optional() })).default([]) }).optional(),
        groundingMetadata: metadata.optional(),
      }),
    )
    .default([]),
});

type Grounding = z.infer<typeof metadata>;

/**
 * A Gemini model that grounds its answer in a Google search. The pages it found are the hits; a snippet is what the
 * model says on the ground of that page. Addresses are redirects of Google's, which the web reader follows.
 */
export function googleBackend({ key, model, url }: { key?: string; model: string; url: string }): SearchBackend {
  const client = new ServiceClient('The Google search');
  return {
    answers: true,
    search: async (query, answer, signal) => {
      const { candidates } = await client.json(
        new URL(`/v1beta/models/${model}:generateContent`, url),
        answerSchema,
        signal,
        {
          method: 'POST',
          headers: { 'x-goog-api-key': key ?? '' },
          body: { contents: [{ role: 'user', parts: [{ text: query }] }], tools: [{ google_search: {} }] },
        },
      );
      const [first] = candidates;
      const text = (first?.content?.parts ?? []).map((part) => part.text ?? '').join('');
      const hits = first?.groundingMetadata ? hitsOf(first.groundingMetadata) : [];
      return { hits: hits.slice(0, HITS), ...(answer && { answer: text }) };
    },
  };
}

function hitsOf({ groundingChunks, groundingSupports }: Grounding): SearchHit[] {
  return groundingChunks.flatMap(({ web }, index) => {
    if (!web) return [];
    const said = groundingSupports
      .filter(({ groundingChunkIndices }) => groundingChunkIndices.includes(index))
      .map(({ segment }) => segment.text);
    return [{ title: web.title, url: web.uri, snippet: said.join(' ') }];
  });
}
