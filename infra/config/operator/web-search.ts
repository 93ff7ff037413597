import { z } from 'zod';
import { secretSource } from '../secrets.js';

const url = z
  .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
  .meta({ title: 'URL', description: 'Another address that speaks the same protocol.' });
const key = secretSource;

/** The section `web_search` of the operator's file: which service the web search asks. */
export const webSearchSection = z
  .discriminatedUnion('backend', [
    z
      .strictObject({
        backend: z.literal('google'),
        key,
        model: z
          .string()
          .regex(/^[a-z0-9][a-z0-9.-]{0,63}$/, 'must be the name of a Gemini model')
          .default('gemini-2.5-flash')
          .describe('The Gemini model that grounds its answer in a search.'),
        url: url.default('https://generativelanguage.googleapis.com'),
      })
      .describe('Google, through a Gemini model.'),
    z.strictObject({ backend: z.literal('brave'), key, url: url.default('https://api.search.brave.com') }),
    z.strictObject({ backend: z.literal('tavily'), key, url: url.default('https://api.tavily.com') }),
    z
      .strictObject({
        backend: z.literal('searxng'),
        url: url.describe('Address of the server. Its settings must list `json` among the formats.'),
        key: key.optional().describe('Where the key is, if a proxy before the server wants one.'),
      })
      .describe('A SearXNG server of your own.'),
  ])
  .describe('The web search (docs/tools.md#tools-that-read-the-web).');

export type WebSearchSection = z.infer<typeof webSearchSection>;
