import { createAmazonBedrock } from '@ai-sdk/amazon-bedrock';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createAzure } from '@ai-sdk/azure';
import { createDeepSeek } from '@ai-sdk/deepseek';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type { LanguageModelV3 } from '@ai-sdk/provider';
import { createXai } from '@ai-sdk/xai';
import type { ProviderRegistration } from '../../../infra/config/operator/providers.js';
import { readSecret } from '../../../infra/config/secrets.js';
import { providerFetch } from './provider-fetch.js';

/** Makes the AI SDK's model of what the provider calls it. */
export type ModelFactory = (providerModel: string) => LanguageModelV3;

const TOGETHER = 'https://api.together.xyz/v1';

/**
 * The AI SDK's provider for a registration. Keys are read here, from the place that the operator named.
 * @throws SecretError
 */
export function openProvider(name: string, provider: ProviderRegistration): ModelFactory {
  const shared = { baseURL: provider.base_url, fetch: providerFetch() };
  switch (provider.kind) {
    case 'openai': {
      const sdk = createOpenAI({ ...shared, apiKey: readSecret(provider.key) });
      return (model) => (provider.api === 'chat' ? sdk.chat(model) : sdk.responses(model));
    }
    case 'azure': {
      const sdk = createAzure({ ...shared, apiKey: readSecret(provider.key), apiVersion: provider.api_version });
      return (model) => (provider.api === 'chat' ? sdk.chat(model) : sdk.responses(model));
    }
    case 'anthropic':
      return createAnthropic({ ...shared, apiKey: readSecret(provider.key) });
    case 'google':
      return createGoogleGenerativeAI({ ...shared, apiKey: readSecret(provider.key) });
    case 'xai':
      return createXai({ ...shared, apiKey: readSecret(provider.key) }).chat;
    case 'deepseek':
      return createDeepSeek({ ...shared, apiKey: readSecret(provider.key) });
    case 'bedrock':
      return createAmazonBedrock({ ...shared, region: provider.region, ...bedrockKey(provider.key) });
    // Together takes schemas as OpenAI does; the SDK's own adapter for it sends none.
    case 'together':
    case 'openai-compatible':
      return createOpenAICompatible({
        ...shared,
        name,
        baseURL: provider.base_url ?? TOGETHER,
        apiKey: provider.key && readSecret(provider.key),
        supportsStructuredOutputs: true,
      });
  }
}

function bedrockKey(key: Extract<ProviderRegistration, { kind: 'bedrock' }>['key']) {
  if (!('access_key_id' in key)) return { apiKey: readSecret(key) };
  // Without `apiKey` the SDK would prefer a key from the environment of the process.
  return {
    apiKey: '',
    accessKeyId: readSecret(key.access_key_id),
    secretAccessKey: readSecret(key.secret_access_key),
  };
}
