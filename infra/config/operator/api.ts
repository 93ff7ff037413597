import { z } from 'zod';

const origin = z
  .url({ protocol: /^https?$/ })
  .refine(
    (text) => URL.canParse(text) && new URL(text).origin === text && !text.includes('*'),
    'must be an origin, as in https://app.example, without a path or *',
  )
  .meta({ title: 'origin' });

/** What the API allows whom. */
export const apiSection = z
  .strictObject({
    allowed_origins: z
      .array(origin)
      .default([])
      .describe(
        'Origins of web pages that may use the API (CORS), with a key, as in `https://app.example`. Without any, no page may.',
      ),
    requests_per_minute: z
      .int()
      .min(1)
      .default(60_000)
      .describe('Requests with one key in a minute, in each API process. Further ones are answered with 429.'),
    dataset_bytes: z
      .int()
      .min(1)
      .max(4 * 1024 ** 3)
      .default(256 * 1024 ** 2)
      .describe('Most bytes of a dataset that a project uploads. A larger one is answered with 413.'),
    concurrent_training_runs: z
      .int()
      .min(1)
      .optional()
      .describe(
        'Training runs of one project that are under way at once. Further ones wait, queued, in their order (docs/runs.md#the-queue). Without it all begin at once.',
      ),
  })
  .prefault({})
  .describe('What the API allows whom (docs/api.md).');

export type ApiSection = z.infer<typeof apiSection>;
