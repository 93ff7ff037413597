import ipaddr from 'ipaddr.js';
import { z } from 'zod';

/** Stands for itself and all names below it. An address stands for itself. */
const host = z
  .string()
  .regex(/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/, 'must be a host name in lower case, such as example.org, or an IPv4 address')
  .meta({ title: 'host' });

/** Addresses that are not public, and yet may be reached. */
export const addressRanges = z
  .array(
    z
      .string()
      .refine((text) => ipaddr.isValidCIDR(text), 'must be a range of addresses such as 10.1.2.0/24')
      .meta({ title: 'range of addresses' }),
  )
  .default([])
  .meta({
    description: 'Addresses that may be reached although they are not public.',
    examples: [['10.1.2.0/24']],
  });

/** The section `web_access` of the operator's file: what tools may fetch from the web on a model's behalf. */
export const webAccessSection = z
  .strictObject({
    user_agent: z
      .string()
      .regex(/^[\x20-\x7e]{1,200}$/, 'must be 1 to 200 printable ASCII characters')
      .meta({
        description: 'Sent to every site, and to Wikipedia, which wants to find in it a way to reach you.',
        examples: ['my-agents/1.0 (mail@example.org)'],
      }),
    allow: z
      .array(host)
      .min(1)
      .optional()
      .describe('Only these hosts and the names below them. Without it every host.'),
    deny: z.array(host).default([]).describe('Never these hosts or the names below them, even if `allow` names them.'),
    ports: z.array(z.int().min(1).max(65_535)).min(1).default([80, 443]).describe('Ports that may be read.'),
    addresses: addressRanges,
    max_mib: z.number().positive().max(100).default(10).describe('MiB of one page, after decompression.'),
    timeout_s: z.number().positive().max(120).default(20).describe('Seconds of one page with all of its redirects.'),
  })
  .describe('What the web reader and the Wikipedia search may fetch (docs/tools.md#tools-that-read-the-web).');

export type WebAccess = z.infer<typeof webAccessSection>;
