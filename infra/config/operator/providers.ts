import { z } from 'zod';
import { secretSource } from '../secrets.js';
import { registeredName } from './registered-name.js';

const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
  .refine((url) => !/^\w+:\/\/[^/?#]*@/.test(url), 'must carry no user name and no password: name a `key` instead')
  .meta({ title: 'URL' });

/** A provider that has any of them has a task queue of its own. */
const limits = {
  concurrency: z
    .int()
    .min(1)
    .max(4096)
    .optional()
    .describe('Calls that are open at once, of each agent worker (docs/language-models.md#limits-of-a-provider).'),
  requests_per_minute: z
    .int()
    .min(1)
    .optional()
    .describe('Calls that are begun in a minute, by all agent workers together.'),
};

const hosted = {
  base_url: httpUrl
    .optional()
    .describe("An address instead of the provider's own, for example that of a LiteLLM proxy."),
  key: secretSource,
  ...limits,
};

const api = z
  .enum(['responses', 'chat'])
  .default('responses')
  .describe("`chat`: for servers that speak only OpenAI's older protocol.");

const provider = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('openai'), api, ...hosted }),
  z.strictObject({ kind: z.literal('anthropic'), ...hosted }),
  z.strictObject({ kind: z.literal('google'), ...hosted }),
  z.strictObject({
    kind: z.literal('azure'),
    api,
    ...hosted,
    base_url: httpUrl.describe('Address of the resource, up to `/openai/v1`.'),
    api_version: z.string().optional().describe('Version of the API.'),
  }),
  z.strictObject({ kind: z.literal('xai'), ...hosted }),
  z.strictObject({ kind: z.literal('deepseek'), ...hosted }),
  z.strictObject({ kind: z.literal('together'), ...hosted }),
  z.strictObject({
    kind: z.literal('bedrock'),
    region: z
      .string()
      .regex(/^[a-z0-9-]+$/)
      .meta({ description: 'Region of AWS.', examples: ['eu-central-1'] }),
    ...hosted,
    key: z
      .union([secretSource, z.strictObject({ access_key_id: secretSource, secret_access_key: secretSource })], {
        error: 'must be { env: NAME }, { file: /absolute/path } or { access_key_id: ..., secret_access_key: ... }',
      })
      .describe(
        "Where Bedrock's API key is, or where the two parts of an access key are that requests are signed with.",
      ),
  }),
  z
    .strictObject({
      kind: z.literal('openai-compatible'),
      ...hosted,
      base_url: httpUrl.describe('Address of the server, `/v1` included.'),
      key: secretSource.optional(),
    })
    .describe('vLLM, Ollama, LM Studio, LiteLLM and the like.'),
]);

/** Who serves language models: name, kind, address, place of the key, limits. */
export const providersSection = z.record(registeredName, provider);

export type ProviderRegistration = z.infer<typeof provider>;

/** Whether its calls wait on a task queue of its own. */
export function hasLimits({ concurrency, requests_per_minute: rate }: ProviderRegistration): boolean {
  return concurrency !== undefined || rate !== undefined;
}
