import { z } from 'zod';
import type { ProviderRegistration } from './providers.js';
import { registeredName } from './registered-name.js';

const languageModel = z.strictObject({
  provider: registeredName.describe('A name of `providers`.'),
  model: z.string().min(1).max(200).describe('What the provider calls the model. Azure: the deployment.'),
  context: z
    .int()
    .min(64)
    .describe(
      'Tokens of prompt and reply together. A prompt with at least as many words is not sent, and the provider refuses any other that is too long. Both are `PromptTooLong`: nothing is cut.',
    ),
  output: z
    .enum(['json-schema', 'json', 'text'])
    .describe(
      'How the model can be held to a form: to a JSON schema, to JSON, or only by asking for it. Anthropic and Bedrock have no `json`.',
    ),
  images: z.boolean().default(false).describe('Whether the model is shown the pictures of a question.'),
  temperature: z
    .boolean()
    .default(true)
    .describe('Whether the model takes a temperature. Models that reason often refuse one.'),
  price: z
    .strictObject({
      input: z.number().min(0).describe('Of prompts.'),
      output: z.number().min(0).describe('Of replies.'),
    })
    .optional()
    .describe('Price of a million tokens, in any unit: that of `flow.budget.money`.'),
});

/** The language models that a configuration may name. */
export const languageModelsSection = z.record(registeredName, languageModel);

export type LanguageModelRegistration = z.infer<typeof languageModel>;

/** Of providers that take a schema or nothing. */
const WITHOUT_JSON_MODE: ProviderRegistration['kind'][] = ['anthropic', 'bedrock'];

/** What in a registration its provider does not allow. */
export function contradictions(
  { provider: name, output }: LanguageModelRegistration,
  providers: Record<string, ProviderRegistration>,
): { key: 'provider' | 'output'; message: string }[] {
  if (!Object.hasOwn(providers, name)) {
    return [{ key: 'provider', message: `"${name}" must be the name of a registered provider` }];
  }
  const { kind } = providers[name];
  if (output !== 'json' || !WITHOUT_JSON_MODE.includes(kind)) return [];
  return [{ key: 'output', message: `${kind} has no mode for JSON without a schema: json-schema or text` }];
}
