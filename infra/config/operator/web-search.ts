import { z } from 'zod';
import { secretSource } from '../secrets.js';

const url = z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' });
const key = secretSource;

/** The section `web_search` of the operator's file: which service the web search asks. */
export const webSearchSection = z.discriminatedUnion('backend', [
  z.strictObject({
    backend: z.literal('google'),
    key,
    /** Grounds its answer in a Google search. */
    model: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{0,63}$/, 'must be the name of a Gemini model')
      .default('gemini-2.5-flash'),
    url: url.default('https://generativelanguage.googleapis.com'),
  }),
  z.strictObject({ backend: z.literal('brave'), key, url: url.default('https://api.search.brave.com') }),
  z.strictObject({ backend: z.literal('tavily'), key, url: url.default('https://api.tavily.com') }),
  /** Of one's own: its settings must list `json` among the formats. A key only where a proxy before it wants one. */
  z.strictObject({ backend: z.literal('searxng'), url, key: key.optional() }),
]);

export type WebSearchSection = z.infer<typeof webSearchSection>;
