import { z } from 'zod';

/** The section `wikipedia` of the operator's file. Its requests carry the user agent of `web_access`. */
export const wikipediaSection = z
  .strictObject({
    languages: z
      .array(z.string().regex(/^[a-z]{2,12}(-[a-z]{2,12}){0,2}$/, 'must be the subdomain of an edition, such as en'))
      .min(1)
      .default(['en'])
      .describe('Editions that a planner may ask, by subdomain. If it names none, the first is asked.'),
    url: z
      .string()
      .regex(/^https?:\/\/\S+$/, 'must be an http:// or https:// URL')
      .default('https://{language}.wikipedia.org/w/api.php')
      .describe('The Action API of an edition.'),
  })
  .describe('The Wikipedia search. Its requests carry the user agent of `web_access`.');

export type WikipediaSection = z.infer<typeof wikipediaSection>;
