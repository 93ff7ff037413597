import type { DataSource } from 'typeorm';
import type { FinishReason, ModuleInput } from '../../contracts/agent-activities.js';
import type { PolicyRef } from '../../contracts/artifacts.js';
import type { FrozenPolicyConfig, LlmConfig, ToolEngineConfig } from '../../contracts/flow-config.js';
import type { ModelCall } from '../../contracts/model-call.js';
import type { AgentModule } from '../trajectories/turn-key.js';
import { untilWritten } from '../trajectories/until-written.js';
import { beginCall, payFor, takeBackCall } from './budget.js';
import type { ChatMessage } from './chat.js';
import { KeptReplies } from './kept-replies.js';
import type {
  LanguageModel,
  LanguageModelReply,
  LanguageModelRequest,
  ReplyCost,
  ReplyForm,
} from './llm/language-model.js';
import type { LanguageModels } from './llm/language-models.js';
import { wasSent } from './llm/unsent.js';
import type { CompletionRequest, PolicyClient } from './policy-client.js';
import { ReplyCache } from './reply-cache.js';
import { withoutThinking } from './without-thinking.js';

export interface ModelCallDependencies {
  dataSource: DataSource;
  policyClient: PolicyClient;
  languageModels: LanguageModels;
}

/** For whom calls are made. */
export interface ModelCallScope extends Pick<ModuleInput, 'flow' | 'model' | 'budget' | 'cache'> {
  /** With the flow and the turn, whose row the calls belong to. */
  module: AgentModule;
  turn: number;
  /** Unsigned 64-bit decimal; equal for every attempt of the same turn (I5). */
  seed: string;
  signal: AbortSignal;
}

export interface Prompt {
  messages: ChatMessage[];
  /** sha256 of its template. */
  template?: string;
  /** The form of the reply, where the model can be held to one. */
  form?: ReplyForm;
  /** What may be kept of a reply, and is all that is given back of it; the whole reply where absent. A pure function. */
  keep?: (text: string) => string;
}

export interface Reply {
  /** Without what the model thought before it spoke; the row holds the whole. */
  text: string;
  finishReason: FinishReason;
}

/** What calls leave in the turn's row. */
export interface RecordedCalls {
  calls: ModelCall[];
  /** Seconds of calls that an earlier attempt of the activity made: they belong to what the turn took. */
  earlierSeconds: number;
}

/**
 * Characters of a reply that are read; its row holds the whole. Only a model that repeats itself writes more, white space
 * for one, until its tokens are spent.
 */
const MAX_READ = 1024 * 1024;

/** What is read of a reply. One that is cut here was as good as cut off at the token limit. */
export function asRead({ reply, finishReason }: Pick<ModelCall, 'reply' | 'finishReason'>): Reply {
  const isCut = reply.length > MAX_READ;
  return { text: withoutThinking(reply.slice(0, MAX_READ)), finishReason: isCut ? 'length' : finishReason };
}

/** What is kept of a reply. */
type GivenReply = LanguageModelReply & { cached?: true };

/** With who gave it: the row tells what was used (the migration Usage1796158800000). Absent in rows of older versions. */
type KeptReply = GivenReply & Partial<Giver>;
type Giver = Pick<ModelCall, 'engine' | 'model'>;

/**
 * The calls of language models that one activity makes: each is asked of the engine that it is bound to, within the
 * run's budget, and is a row before anything depends on it: no attempt asks again what an earlier one was told (I15).
 */
export class ModelCalls {
  private readonly recorded: RecordedCalls = { calls: [], earlierSeconds: 0 };
  private readonly cache: ReplyCache;
  private readonly replies: KeptReplies;

  constructor(
    private readonly dependencies: ModelCallDependencies,
    private readonly scope: ModelCallScope,
  ) {
    const { flow, turn, module, signal } = scope;
    this.cache = new ReplyCache(dependencies.dataSource);
    this.replies = new KeptReplies(dependencies.dataSource, { flowId: flow.flowId, turn, module }, signal);
  }

  get signal(): AbortSignal {
    return this.scope.signal;
  }

  repliesInJson(binding: ToolEngineConfig): boolean {
    return binding.engine === 'llm' && this.dependencies.languageModels.named(binding.model).repliesInJson;
  }

  takesImages(binding: ToolEngineConfig): boolean {
    return binding.engine === 'llm' && this.dependencies.languageModels.named(binding.model).takesImages;
  }

  /**
   * @param policy for a binding to `policy`: its weights instead of the untrained base's
   * Fails as LanguageModel.generate and PolicyClient.complete do, and with BudgetSpent.
   */
  async ask(binding: ToolEngineConfig, prompt: Prompt, policy?: PolicyRef): Promise<Reply> {
    const call =
      binding.engine === 'llm' ? await this.askLlm(binding, prompt) : await this.askPolicy(binding, prompt, policy);
    this.recorded.calls.push(call);
    return asRead(call);
  }

  record(): RecordedCalls {
    return this.recorded;
  }

  private async askLlm(binding: LlmConfig, prompt: Prompt): Promise<ModelCall> {
    const model = this.dependencies.languageModels.named(binding.model);
    const { messages, form, keep } = prompt;
    const { temperature, max_tokens: maxTokens } = binding;
    const { seed } = this.scope;
    const asked = { messages, temperature, maxTokens, seed, form };
    const request = { ...asked, timeoutMs: binding.timeout_s * 1000 };
    const reply = await this.kept(
      { engine: 'llm', model: model.name },
      { model: model.identity, ...asked },
      () => this.answer(model, request, keep),
      (given) => model.billed(messages, given),
    );
    if (this.scope.cache && !reply.cached) await this.cache.keep(model, request, reply);
    return {
      engine: 'llm',
      model: model.name,
      providerModel: model.providerModel,
      ...this.recordOf(binding, prompt, reply),
    };
  }

  private async answer(
    model: LanguageModel,
    request: LanguageModelRequest,
    keep: (text: string) => string = (text) => text,
  ): Promise<GivenReply> {
    const cached = this.scope.cache ? await this.cache.find(model, request) : undefined;
    if (cached) return { ...cached, text: keep(cached.text), cached: true };
    const reply = await this.send(model, request);
    return { ...reply, text: keep(reply.text) };
  }

  /** Counts the call, then makes it. */
  private async send(model: LanguageModel, request: LanguageModelRequest): Promise<LanguageModelReply> {
    const { dataSource } = this.dependencies;
    const { flow, budget, signal } = this.scope;
    await beginCall(dataSource, flow.runId, budget);
    try {
      return await model.generate(request, signal);
    } catch (error) {
      if (!wasSent(error)) await untilWritten(signal, () => takeBackCall(dataSource, flow.runId));
      throw error;
    }
  }

  private async askPolicy(binding: FrozenPolicyConfig, prompt: Prompt, policy?: PolicyRef): Promise<ModelCall> {
    const { flow, model, seed, turn } = this.scope;
    const { temperature, max_tokens: maxTokens } = binding;
    const request = {
      model: policy?.name ?? model,
      policySha256: policy?.sha256,
      messages: prompt.messages,
      maxTokens,
      temperature,
      seed,
      flowId: flow.flowId,
      turn,
    };
    const reply = await this.kept({ engine: 'policy', model: request.model }, request, () => this.complete(request));
    return { engine: 'policy', model: request.model, ...this.recordOf(binding, prompt, reply) };
  }

  private async complete(request: CompletionRequest): Promise<GivenReply> {
    const started = performance.now();
    const completion = await this.dependencies.policyClient.complete(request, this.signal);
    return {
      text: completion.text,
      finishReason: completion.finishReason,
      inputTokens: completion.promptTokenIds.length,
      outputTokens: completion.responseTokenIds.length,
      seconds: (performance.now() - started) / 1000,
      warnings: [],
    };
  }

  /** @param billed what a reply costs of the budget, if it is not from the cache; without it nothing */
  private async kept(
    giver: Giver,
    request: object,
    ask: () => Promise<GivenReply>,
    billed?: (given: GivenReply) => ReplyCost,
  ): Promise<GivenReply> {
    const askGiver = async (): Promise<KeptReply> => ({ ...(await ask()), ...giver });
    const { reply, isEarlier } = await this.replies.once(request, askGiver, async (manager, given) => {
      if (billed && !given.cached) await payFor(manager, this.scope.flow.runId, billed(given));
    });
    if (isEarlier) this.recorded.earlierSeconds += reply.seconds;
    return reply;
  }

  private recordOf(
    { temperature, max_tokens: maxTokens }: ToolEngineConfig,
    { messages, template }: Prompt,
    { text, warnings, ...reply }: GivenReply,
  ): Omit<ModelCall, 'engine' | 'model'> {
    return {
      prompt: messages,
      template,
      temperature,
      maxTokens,
      seed: this.scope.seed,
      reply: text,
      ...reply,
      ...(warnings.length > 0 && { warnings }),
    };
  }
}
