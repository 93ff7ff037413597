import type { DataSource } from 'typeorm';
import type { FinishReason, ModuleInput } from '../../workflows/contracts/agent-activities.js';
import type { PolicyRef } from '../../workflows/contracts/artifacts.js';
import type { FrozenPolicyConfig, LlmConfig, ToolEngineConfig } from '../../workflows/contracts/flow-config.js';
import type { ModelCall } from '../../workflows/contracts/model-call.js';
import { requireBudget } from './budget.js';
import type { ChatMessage } from './chat.js';
import type { LanguageModel, LanguageModelReply, LanguageModelRequest, ReplyForm } from './llm/language-model.js';
import type { LanguageModels } from './llm/language-models.js';
import type { PolicyClient } from './policy-client.js';
import { ReplyCache } from './reply-cache.js';

export interface ModelCallDependencies {
  dataSource: DataSource;
  policyClient: PolicyClient;
  languageModels: LanguageModels;
}

/** For whom calls are made. */
export interface ModelCallScope extends Pick<ModuleInput, 'flow' | 'model' | 'budget' | 'cache'> {
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
}

export interface Reply {
  text: string;
  finishReason: FinishReason;
}

/** What calls leave in the turn's row. */
export interface RecordedCalls {
  runId: string;
  calls: ModelCall[];
}

/**
 * The calls of language models that one activity makes: each is asked of the engine that it is bound to, within the
 * run's budget, and kept for the turn's row.
 */
export class ModelCalls {
  private readonly recorded: RecordedCalls;
  private readonly cache: ReplyCache;

  constructor(
    private readonly dependencies: ModelCallDependencies,
    private readonly scope: ModelCallScope,
  ) {
    this.recorded = { runId: scope.flow.runId, calls: [] };
    this.cache = new ReplyCache(dependencies.dataSource);
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
    return { text: call.reply, finishReason: call.finishReason };
  }

  record(): RecordedCalls {
    return this.recorded;
  }

  private async askLlm(binding: LlmConfig, { messages, template, form }: Prompt): Promise<ModelCall> {
    const model = this.dependencies.languageModels.named(binding.model);
    const { temperature, max_tokens: maxTokens } = binding;
    const request = {
      messages,
      temperature,
      maxTokens,
      timeoutMs: binding.timeout_s * 1000,
      seed: this.scope.seed,
      form,
    };
    const { reply, cached } = await this.answer(model, request);
    const { text, finishReason, inputTokens, outputTokens, cost, seconds, warnings } = reply;
    return {
      engine: 'llm',
      model: model.name,
      providerModel: model.providerModel,
      prompt: messages,
      template,
      temperature,
      maxTokens,
      seed: this.scope.seed,
      reply: text,
      finishReason,
      inputTokens,
      outputTokens,
      cost,
      seconds,
      ...(warnings.length > 0 && { warnings }),
      ...(cached && { cached }),
    };
  }

  private async answer(
    model: LanguageModel,
    request: LanguageModelRequest,
  ): Promise<{ reply: LanguageModelReply; cached?: true }> {
    const { scope } = this;
    const kept = scope.cache ? await this.cache.find(model, request) : undefined;
    if (kept) return { reply: kept, cached: true };
    if (scope.budget)
      await requireBudget(this.dependencies.dataSource, scope.flow.runId, scope.budget, this.recorded.calls);
    const reply = await model.generate(request, scope.signal);
    if (scope.cache) await this.cache.keep(model, request, reply);
    return { reply };
  }

  private async askPolicy(
    binding: FrozenPolicyConfig,
    { messages, template }: Prompt,
    policy?: PolicyRef,
  ): Promise<ModelCall> {
    const { scope } = this;
    const { temperature, max_tokens: maxTokens } = binding;
    const started = performance.now();
    const completion = await this.dependencies.policyClient.complete(
      {
        model: policy?.name ?? scope.model,
        policySha256: policy?.sha256,
        messages,
        maxTokens,
        temperature,
        seed: scope.seed,
        flowId: scope.flow.flowId,
        turn: scope.turn,
      },
      scope.signal,
    );
    return {
      engine: 'policy',
      model: policy?.name ?? scope.model,
      prompt: messages,
      template,
      temperature,
      maxTokens,
      seed: scope.seed,
      reply: completion.text,
      finishReason: completion.finishReason,
      inputTokens: completion.promptTokenIds.length,
      outputTokens: completion.responseTokenIds.length,
      seconds: (performance.now() - started) / 1000,
    };
  }
}
