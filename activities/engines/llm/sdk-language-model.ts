import type {
  LanguageModelV3,
  LanguageModelV3CallOptions,
  LanguageModelV3GenerateResult,
  SharedV3ProviderOptions,
} from '@ai-sdk/provider';
import type { LanguageModelRegistration } from '../../../infra/config/operator/language-models.js';
import type { FinishReason } from '../../../contracts/agent-activities.js';
import { wellFormed } from '../../../infra/database/well-formed.js';
import { redactKnown } from '../../../infra/redaction/redact.js';
import type { ImageReader } from './image-reader.js';
import type { ChatMessage } from '../chat.js';
import type {
  LanguageModel,
  LanguageModelReply,
  LanguageModelRequest,
  ReplyCost,
  ReplyForm,
} from './language-model.js';
import type { ModelFactory } from './open-provider.js';
import { classifyProviderError, unavailable, type NamedModel } from './provider-errors.js';
import { requireRoom } from './require-room.js';
import { toSdkPrompt } from './to-sdk-prompt.js';
import { markUnsent, notConnected } from './unsent.js';
import { TimeLimit } from '../../time-limit.js';

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
  private readonly named: NamedModel;
  private readonly sdk: LanguageModelV3;

  constructor(private readonly options: SdkModelOptions) {
    const { name, registration, provider } = options;
    this.name = name;
    this.named = { name, provider: registration.provider };
    this.providerModel = registration.model;
    this.identity = { kind: provider.kind, address: provider.address, model: registration.model };
    this.repliesInJson = registration.output !== 'text';
    this.takesImages = registration.images;
    this.sdk = provider.sdk(registration.model);
  }

  billed(messages: readonly ChatMessage[], { text, inputTokens, outputTokens, cost }: LanguageModelReply): ReplyCost {
    if (inputTokens !== undefined && outputTokens !== undefined) return { inputTokens, outputTokens, cost };
    const read = inputTokens ?? tokensIn(messages.map(({ content }) => content).join(''));
    const written = outputTokens ?? tokensIn(text);
    return { inputTokens: read, outputTokens: written, cost: this.costOf(read, written) };
  }

  async generate(request: LanguageModelRequest, signal: AbortSignal): Promise<LanguageModelReply> {
    const options = await this.prepare(request);
    const { timeoutMs } = request;
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    const limit = new TimeLimit(signal, timeoutMs);
    try {
      const result = await this.sdk.doGenerate({ ...options, abortSignal: limit.signal });
      return { ...this.read(result), seconds: seconds() };
    } catch (error) {
      signal.throwIfAborted();
      if (limit.isOver) throw unavailable(this.named, `no answer within ${timeoutMs / 1000} s`);
      const failure = classifyProviderError(error, this.named);
      if (!failure.filtered) throw notConnected(error) ? markUnsent(failure.error) : failure.error;
      return { text: '', finishReason: 'refused', seconds: seconds(), warnings: [] };
    } finally {
      limit.end();
    }
  }

  private async prepare(request: LanguageModelRequest): Promise<LanguageModelV3CallOptions> {
    try {
      requireRoom(this.name, request.messages, this.options.registration.context);
      return await this.toSdkOptions(request);
    } catch (error) {
      throw markUnsent(error);
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
    const inputTokens = tokenCount(result.usage.inputTokens.total);
    const outputTokens = tokenCount(result.usage.outputTokens.total);
    return {
      text: redactKnown(wellFormed(texts.join(''))),
      finishReason: FINISH_REASONS[result.finishReason.unified] ?? 'other',
      inputTokens,
      outputTokens,
      cost: this.costOf(inputTokens, outputTokens),
      warnings: result.warnings.map((warning) => redactKnown(warningText(warning))),
    };
  }

  private costOf(input?: number, output?: number): number | undefined {
    const { price } = this.options.registration;
    if (!price || input === undefined || output === undefined) return undefined;
    return (input * price.input + output * price.output) / MILLION;
  }
}

/** Undefined for a count that is none: some servers say -1, which would give a budget back, or nothing. */
function tokenCount(said: number | undefined): number | undefined {
  return said !== undefined && Number.isFinite(said) && said >= 0 ? Math.round(said) : undefined;
}

/** About as many as tokenizers make of English. */
function tokensIn(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}

function warningText(warning: LanguageModelV3GenerateResult['warnings'][number]): string {
  if (warning.type === 'other') return warning.message;
  return [warning.type, 'feature' in warning ? warning.feature : '', 'details' in warning ? warning.details : '']
    .filter(Boolean)
    .join(': ');
}
