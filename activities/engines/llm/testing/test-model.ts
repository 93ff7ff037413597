import type { LanguageModelRegistration } from '../../../../infra/config/operator/language-models.js';
import type { ProviderRegistration } from '../../../../infra/config/operator/providers.js';
import type { LanguageModel, LanguageModelRequest } from '../language-model.js';
import { LanguageModels } from '../language-models.js';

const PICTURE = Buffer.from('89504e470d0a1a0a', 'hex');

/** A language model as the operator registers it, at a provider whose server is at the address. */
export function openTestModel(
  address: string,
  { name = 'p', ...provider }: Record<string, unknown> & { name?: string },
  changes: Partial<LanguageModelRegistration> = {},
): LanguageModel {
  const registration = { base_url: address, ...provider } as ProviderRegistration;
  const model = {
    provider: name,
    model: 'claude-sonnet-4-5',
    context: 8192,
    output: 'text' as const,
    images: false,
    temperature: true,
    price: { input: 2, output: 10 },
    ...changes,
  };
  const registered = { providers: { [name]: registration }, language_models: { m: model } };
  return LanguageModels.open(registered, () => Promise.resolve(PICTURE)).named('m');
}

export function testRequest(changes: Partial<LanguageModelRequest> = {}): LanguageModelRequest {
  const messages = [
    { role: 'system' as const, content: 'Answer in one word.' },
    { role: 'user' as const, content: 'What is the capital of France?' },
  ];
  return { messages, temperature: 0.5, maxTokens: 64, timeoutMs: 30_000, seed: '18446744073709551615', ...changes };
}
