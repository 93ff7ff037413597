import ipaddr from 'ipaddr.js';
import { z } from 'zod';

/** Stands for itself and all names below it. An address stands for itself. */
const host = z
  .string()
  .regex(/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/, 'must be a host name in lower case, such as example.org, or an IPv4 address');

/** The section `web_access` of the operator's file: what tools may fetch from the web on a model's behalf. */
export const webAccessSection = z.strictObject({
  /** Sent to every site and to Wikipedia, which wants a way to reach the operator in it. */
  user_agent: z.string().regex(/^[\x20-\x7e]{1,200}$/, 'must be 1 to 200 printable ASCII characters'),
  /** Only these hosts, where the list is given. */
  allow: z.array(host).min(1).optional(),
  /** Not these hosts, whatever `allow` says. */
  deny: z.array(host).default([]),
  ports: z.array(z.int().min(1).max(65_535)).min(1).default([80, 443]),
  /** Addresses that may be reached although they are not public, in CIDR notation. */
  addresses: z
    .array(z.string().refine((text) => ipaddr.isValidCIDR(text), 'must be a range of addresses such as 10.1.2.0/24'))
    .default([]),
  /** Of one response, after decompression. */
  max_mib: z.number().positive().max(100).default(10),
  /** Of one page with all of its redirects. */
  timeout_s: z.number().positive().max(120).default(20),
});

export type WebAccess = z.infer<typeof webAccessSection>;
