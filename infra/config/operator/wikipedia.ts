import { z } from 'zod';

/** The section `wikipedia` of the operator's file. Its requests carry the user agent of `web_access`. */
export const wikipediaSection = z.strictObject({
  /** The editions that a planner may ask, by their subdomain; the first is the one it gets without asking. */
  languages: z
    .array(z.string().regex(/^[a-z]{2,12}(-[a-z]{2,12}){0,2}$/, 'must be the subdomain of an edition, such as en'))
    .min(1)
    .default(['en']),
  /** The Action API of an edition. */
  url: z
    .string()
    .regex(/^https?:\/\/\S+$/, 'must be an http:// or https:// URL')
    .default('https://{language}.wikipedia.org/w/api.php'),
});

export type WikipediaSection = z.infer<typeof wikipediaSection>;
