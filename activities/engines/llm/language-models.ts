import type { LanguageModelRegistration } from '../../../infra/config/operator/language-models.js';
import type { ProviderRegistration } from '../../../infra/config/operator/providers.js';
import { FailureType } from '../../../contracts/failures.js';
import { nonRetryable } from '../../failures/non-retryable.js';
import type { ImageReader } from './image-reader.js';
import type { LanguageModel } from './language-model.js';
import { openProvider } from './open-provider.js';
import { SdkLanguageModel } from './sdk-language-model.js';

export interface LanguageModelRegistrations {
  providers: Record<string, ProviderRegistration>;
  language_models: Record<string, LanguageModelRegistration>;
}

/** The language models that the operator registered. */
export class LanguageModels {
  private readonly models: ReadonlyMap<string, LanguageModel>;

  constructor(models: readonly LanguageModel[]) {
    this.models = new Map(models.map((model) => [model.name, model]));
  }

  /**
   * Reads the providers' keys.
   * @throws SecretError where a key is not in its place
   */
  static open(
    { providers, language_models: registered }: LanguageModelRegistrations,
    images: ImageReader,
  ): LanguageModels {
    const opened = new Map(
      Object.entries(providers).map(([name, provider]) => [
        name,
        { kind: provider.kind, address: addressOf(provider), sdk: openProvider(name, provider) },
      ]),
    );
    return new LanguageModels(
      Object.entries(registered).flatMap(([name, registration]) => {
        const provider = opened.get(registration.provider);
        return provider ? [new SdkLanguageModel({ name, registration, provider, images })] : [];
      }),
    );
  }

  /** Fails with BadConfiguration where no model has this name. */
  named(name: string): LanguageModel {
    const model = this.models.get(name);
    if (model) return model;
    const known = [...this.models.keys()].join(', ') || 'none';
    throw nonRetryable(
      FailureType.BadConfiguration,
      `No language model is called "${name}". Registered language models: ${known}.`,
    );
  }
}

function addressOf(provider: ProviderRegistration): string {
  return provider.base_url ?? provider.kind;
}
