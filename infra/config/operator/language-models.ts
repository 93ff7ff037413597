import { z } from 'zod';
import type { ProviderRegistration } from './providers.js';
import { registeredName } from './registered-name.js';

const languageModel = z.strictObject({
  /** A name of `providers`. */
  provider: registeredName,
  /** What the provider calls the model; with Azure the deployment. */
  model: z.string().min(1).max(200),
  /** Tokens of prompt and reply together. */
  context: z.int().min(64),
  /** How the model can be held to a form: to a JSON schema, to JSON, or by asking alone. */
  output: z.enum(['json-schema', 'json', 'text']),
  /** Whether it takes pictures. */
  images: z.boolean().default(false),
  /** Whether it takes a temperature; models that reason often refuse one. */
  temperature: z.boolean().default(true),
  /** Per million tokens, in any unit: that of `flow.budget.money`. */
  price: z.strictObject({ input: z.number().min(0), output: z.number().min(0) }).optional(),
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
