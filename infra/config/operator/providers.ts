import { z } from 'zod';
import { secretSource } from '../secrets.js';
import { registeredName } from './registered-name.js';

const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
  .refine((url) => !/^\w+:\/\/[^/?#]*@/.test(url), 'must carry no user name and no password: name a `key` instead');

/** A provider that has any of them has a task queue of its own. */
const limits = {
  /** Calls of one agent worker that are open at once. */
  concurrency: z.int().min(1).max(4096).optional(),
  /** Calls that are begun, by all agent workers together. */
  requests_per_minute: z.int().min(1).optional(),
};

/** The providers' own addresses are known; `base_url` replaces one by a proxy's, for example LiteLLM's. */
const hosted = { base_url: httpUrl.optional(), key: secretSource, ...limits };

/** `chat` for servers that speak OpenAI's older protocol only. */
const api = z.enum(['responses', 'chat']).default('responses');

const provider = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('openai'), api, ...hosted }),
  z.strictObject({ kind: z.literal('anthropic'), ...hosted }),
  z.strictObject({ kind: z.literal('google'), ...hosted }),
  z.strictObject({ kind: z.literal('azure'), api, ...hosted, base_url: httpUrl, api_version: z.string().optional() }),
  z.strictObject({ kind: z.literal('xai'), ...hosted }),
  z.strictObject({ kind: z.literal('deepseek'), ...hosted }),
  z.strictObject({ kind: z.literal('together'), ...hosted }),
  z.strictObject({
    kind: z.literal('bedrock'),
    region: z.string().regex(/^[a-z0-9-]+$/),
    base_url: httpUrl.optional(),
    /** Bedrock's API key, or the two parts of an access key that requests are signed with. */
    key: z.union([secretSource, z.strictObject({ access_key_id: secretSource, secret_access_key: secretSource })], {
      error: 'must be { env: NAME }, { file: /absolute/path } or { access_key_id: ..., secret_access_key: ... }',
    }),
    ...limits,
  }),
  /** vLLM, Ollama, LM Studio, LiteLLM, the policy server of this project, … */
  z.strictObject({
    kind: z.literal('openai-compatible'),
    base_url: httpUrl,
    key: secretSource.optional(),
    ...limits,
  }),
]);

/** Who serves language models: name, kind, address, place of the key, limits. */
export const providersSection = z.record(registeredName, provider);

export type ProviderRegistration = z.infer<typeof provider>;

/** Whether its calls wait on a task queue of its own. */
export function hasLimits({ concurrency, requests_per_minute: rate }: ProviderRegistration): boolean {
  return concurrency !== undefined || rate !== undefined;
}
