import type {
  LanguageModelV3,
  LanguageModelV3CallOptions,
  LanguageModelV3GenerateResult,
  SharedV3ProviderOptions,
} from '@ai-sdk/provider';
import type { LanguageModelRegistration } from '../../../infra/config/operator/language-models.js';
import type { FinishReason } from '../../../workflows/contracts/agent-activities.js';
import { redactKnown } from '../../failures/redact.js';
import { wellFormed } from '../well-formed.js';
import type { ImageReader } from './image-reader.js';
import type { LanguageModel, LanguageModelReply, LanguageModelRequest, ReplyForm } from './language-model.js';
import type { ModelFactory } from './open-provider.js';
import { classifyProviderError, unavailable } from './provider-errors.js';
import { requireRoom } from './require-room.js';
import { toSdkPrompt } from './to-sdk-prompt.js';

export interface OpenedProvider {
  kind: string;
  address: string;
  sdk: ModelFactory;
}

interface SdkModelOptions {
  name: string;
  registration: LanguageModelRegistration;
  provider: OpenedProvider;
  images: ImageReader;
}

/** Seeds of providers are positive 31-bit integers. */
const SEEDS = 1n << 31n;
const MILLION = 1_000_000;

/** A schema of a tool may have optional keys, which a provider's strict mode refuses. By the SDK's names of its adapters. */
const LOOSELY: SharedV3ProviderOptions = Object.fromEntries(
  ['openai', 'azure', 'openaiCompatible'].map((adapter) => [adapter, { strictJsonSchema: false }]),
);

const FINISH_REASONS: Partial<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  'content-filter': 'refused',
};

/**
 * A registered language model through the AI SDK's provider. Its specification is called without the SDK's own loop:
 * nothing retries, downloads or parses behind our back.
 */
export class SdkLanguageModel implements LanguageModel {
  readonly name: string;
  readonly providerModel: string;
  readonly identity: Record<string, unknown>;
  readonly repliesInJson: boolean;
  readonly takesImages: boolean;
  private readonly sdk: LanguageModelV3;

  constructor(private readonly options: SdkModelOptions) {
    const { name, registration, provider } = options;
    this.name = name;
    this.providerModel = registration.model;
    this.identity = { kind: provider.kind, address: provider.address, model: registration.model };
    this.repliesInJson = registration.output !== 'text';
    this.takesImages = registration.images;
    this.sdk = provider.sdk(registration.model);
  }

  async generate(request: LanguageModelRequest, signal: AbortSignal): Promise<LanguageModelReply> {
    requireRoom(this.name, request.messages, this.options.registration.context);
    const options = await this.toSdkOptions(request);
    const { timeoutMs } = request;
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const result = await this.sdk.doGenerate({ ...options, abortSignal: AbortSignal.any([signal, timeout]) });
      return { ...this.read(result), seconds: seconds() };
    } catch (error) {
      signal.throwIfAborted();
      if (timeout.aborted) throw unavailable(this.name, `no answer within ${timeoutMs / 1000} s`);
      const failure = classifyProviderError(error, this.name);
      if (!failure.filtered) throw failure.error;
      return { text: '', finishReason: 'refused', seconds: seconds(), warnings: [] };
    }
  }

  private async toSdkOptions(request: LanguageModelRequest): Promise<LanguageModelV3CallOptions> {
    const { registration, images } = this.options;
    const sampled = registration.temperature && request.temperature > 0;
    return {
      prompt: await toSdkPrompt(request.messages, images),
      maxOutputTokens: request.maxTokens,
      ...(registration.temperature && { temperature: request.temperature }),
      // At temperature 0 a seed changes nothing, and some providers warn of it.
      ...(sampled && { seed: Number(BigInt(request.seed) % SEEDS) }),
      ...(request.form && this.formOptions(request.form)),
    };
  }

  private formOptions({ name, jsonSchema, strict }: ReplyForm): Partial<LanguageModelV3CallOptions> {
    if (this.options.registration.output === 'json') return { responseFormat: { type: 'json' } };
    return {
      responseFormat: { type: 'json', name, schema: jsonSchema },
      providerOptions: strict ? undefined : LOOSELY,
    };
  }

  private read(result: LanguageModelV3GenerateResult): Omit<LanguageModelReply, 'seconds'> {
    const texts = result.content.flatMap((part) => (part.type === 'text' ? [part.text] : []));
    const inputTokens = result.usage.inputTokens.total;
    const outputTokens = result.usage.outputTokens.total;
    return {
      text: redactKnown(wellFormed(texts.join(''))),
      finishReason: FINISH_REASONS[result.finishReason.unified] ?? 'other',
      inputTokens,
      outputTokens,
      cost: this.costOf(inputTokens, outputTokens),
      warnings: result.warnings.map(warningText),
    };
  }

  private costOf(input = 0, output = 0): number | undefined {
    const { price } = this.options.registration;
    return price && (input * price.input + output * price.output) / MILLION;
  }
}

function warningText(warning: LanguageModelV3GenerateResult['warnings'][number]): string {
  if (warning.type === 'other') return warning.message;
  return [warning.type, 'feature' in warning ? warning.feature : '', 'details' in warning ? warning.details : '']
    .filter(Boolean)
    .join(': ');
}
