import { condition, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { SubmittedFlow } from './submitted-flow.js';
import { timesBudget } from './budget.js';
import { runCalls } from './calls.js';
import type { ModuleInput, Plan, Timed } from '../contracts/agent-activities.js';
import { FailureType } from '../contracts/failures.js';
import type { AgentFlowInput, AgentFlowResult, Analysis, MemoryEntry, Outcome, TurnRecord } from '../contracts/flow.js';
import { flowDetails, oneLine } from './details.js';
import { failedWith, outOfPatience } from './failed-calls.js';
import { withinBudget } from './memory-budget.js';
import { holdSignal } from '../contracts/messages.js';
import { callOnQueue, modelsOf, modelsOfExecution, type Call } from './model-queues.js';

/** Memory, budgets and outcome of one agent flow: workflow state, pure but for the activities it calls. */
export class AgentFlow {
  private readonly memory: MemoryEntry[] = [];
  private analysis: Analysis = { summary: '', skills: '', tools: '', considerations: '' };
  private seconds = 0;
  private held = false;
  private outcome: Outcome | undefined;
  private answers: NonNullable<AgentFlowResult['answers']> = {};
  private reward: number | undefined;
  private grading: AgentFlowResult['grading'];

  /** @param submitted what pauses the flow when a call of it fails; any other flow leaves that to its run */
  constructor(
    private readonly input: AgentFlowInput,
    private readonly submitted?: SubmittedFlow,
  ) {
    setHandler(holdSignal, (held) => void (this.held = held), {
      description: 'Stop before the next activity, or go on.',
    });
    if (!this.takesTurns()) this.outcome = 'answered';
    this.describe();
  }

  /** Whether any output needs more than the planner's model alone. */
  takesTurns(): boolean {
    return this.input.config.outputs.some((output) => output !== 'base');
  }

  isOpen(): boolean {
    return this.outcome === undefined;
  }

  async analyse(): Promise<void> {
    const { query, config } = this.input;
    const { analysis } = await this.timed(modelsOf(config.query_analysis), (calls) =>
      calls.analyseQuery.executeWithOptions({ summary: oneLine(query.question) }, [
        { ...this.common, tools: config.tools, module: config.query_analysis },
      ]),
    );
    this.analysis = analysis;
  }

  /** The planner's next step; undefined once its own turns have filled the model's context. */
  async plan(): Promise<Plan | undefined> {
    const { config, policy, greedy } = this.input;
    const { max_turns, tools, planner } = config;
    const turn = this.memory.length + 1;
    const turnsLeft = max_turns - this.memory.length;
    const memory = this.remembered(this.memory);
    const request = {
      analysis: this.analysis,
      tools,
      memory,
      turn,
      turnsLeft,
      planner,
      policy,
      greedy,
    };
    try {
      return await this.timed(modelsOf(planner), (calls) =>
        calls.planTurn.executeWithOptions({ summary: `turn ${turn} of ${max_turns}` }, [
          { ...this.common, ...request },
        ]),
      );
    } catch (error) {
      if (turn === 1 || !failedWith(error, FailureType.PromptTooLong)) throw error;
      this.outcome = 'context_filled';
      return undefined;
    }
  }

  /** Runs the planned tool. A plan that could not be read is remembered as the planner's mistake instead. */
  async execute(plan: Plan): Promise<TurnRecord> {
    const { tool, subGoal = '', context, mistake, mistakeKind } = plan;
    const { executor: module, tool_engine: toolEngine } = this.input.config;
    const turn = this.memory.length + 1;
    if (!tool) return { turn, mistake, mistakeKind };
    const models = modelsOfExecution(plan, this.input.config);
    const { command, result, ...run } = await this.timed(models, (calls) =>
      calls.executeTurn.executeWithOptions({ summary: oneLine(`${tool}: ${subGoal}`) }, [
        { ...this.common, turn, tool, subGoal, context, module, toolEngine },
      ]),
    );
    return { turn, tool, subGoal, command, result, mistake: run.mistake, mistakeKind: run.mistakeKind };
  }

  async verifyAndRemember(plan: Plan, record: TurnRecord): Promise<void> {
    const { tools, verifier: module } = this.input.config;
    const memory = this.remembered([...this.memory, record]);
    const { verdict, critique } = await this.timed(modelsOf(module), (calls) =>
      calls.verifyTurn.executeWithOptions({ summary: oneLine(record.mistake ?? record.result ?? '') }, [
        { ...this.common, analysis: this.analysis, tools, turn: record.turn, memory, module },
      ]),
    );
    this.memory.push({ ...record, verdict, critique });
    this.outcome = this.closedBy(verdict, plan);
    this.describe();
  }

  /** One call for each of the configuration's outputs. */
  async answer(): Promise<void> {
    const { policy, greedy, config } = this.input;
    const { planner, generator: module } = config;
    const memory = this.remembered(this.memory);
    for (const output of config.outputs) {
      const { answer } = await this.timed(modelsOf(output === 'base' ? planner : module), (calls) =>
        calls.generateAnswer.executeWithOptions({ summary: `${output}, ${this.outcome}` }, [
          { ...this.common, output, analysis: this.analysis, memory, module, planner, policy, greedy },
        ]),
      );
      this.answers[output] = answer;
    }
  }

  async score(): Promise<void> {
    const { flow, query, score, config } = this.input;
    if (!score) return;
    const answer = this.finalAnswer() ?? '';
    const { rules, judge, undecided, reward } = config.scoring ?? {};
    const graded = await this.ask(judge ? [judge.model] : [], (calls) =>
      calls.scoreAnswer.executeWithOptions({ summary: oneLine(answer) }, [
        { flow, query, answer, rules, judge, undecided, reward, budget: config.budget },
      ]),
    );
    this.reward = graded.reward;
    this.grading = graded.grading;
    if (graded.reward === undefined) this.leaveOut();
  }

  /** Two failures exclude a rollout (I2): infrastructure past all patience, and a first prompt that never fitted. */
  exclude(error: unknown): void {
    if (failedWith(error, FailureType.PromptTooLong)) this.outcome = 'prompt_too_long';
    else if (outOfPatience(error)) this.outcome = 'infrastructure';
    else throw error;
    this.answers = {};
    this.reward = undefined;
    this.grading = undefined;
  }

  async finish(): Promise<AgentFlowResult> {
    const { flow, query, policy, config } = this.input;
    const result: AgentFlowResult = {
      flowId: flow.flowId,
      outcome: this.outcome as Outcome,
      answer: this.finalAnswer(),
      answers: config.outputs.length > 1 ? this.answers : undefined,
      reward: this.reward,
      grading: this.grading,
      turns: this.memory.length,
      tools: this.memory.map((entry) => entry.tool ?? 'none'),
    };
    this.describe();
    // Without patience: a rollout whose record is lost would end its run.
    const record = () =>
      runCalls(this.input.settings).recordRollout.executeWithOptions({ summary: result.outcome }, [
        { flow, query, policy, result, memory: this.remembered(this.memory) },
      ]);
    await (this.submitted ? this.submitted.attempt(record) : record());
    return result;
  }

  /** What every module call is told. */
  private get common(): ModuleInput {
    const { flow, query, model, config } = this.input;
    const { budget, cache } = config;
    return { flow, query, model, budget: budget && timesBudget(budget, this.submitted?.budgets ?? 1), cache };
  }

  /**
   * Nobody could decide about the answer. If the planner's own turns spoilt it, it stays wrong: the planner would
   * otherwise learn to spoil them.
   */
  private leaveOut(): void {
    if (this.outcome === 'unparsable_plan' || this.outcome === 'context_filled') this.reward = 0;
    else this.outcome = 'undecided';
  }

  private finalAnswer(): string | undefined {
    return this.answers[this.input.config.outputs[0]];
  }

  private closedBy(verdict: MemoryEntry['verdict'], plan: Plan): Outcome | undefined {
    if (verdict === 'STOP') return 'answered';
    const { max_turns, time_budget_s } = this.input.config;
    if (this.memory.length < max_turns && this.seconds < time_budget_s) return undefined;
    return plan.tool ? 'budget_spent' : 'unparsable_plan';
  }

  private remembered<Entry extends TurnRecord>(memory: readonly Entry[]): Entry[] {
    return withinBudget(memory, this.input.config.memory_tokens);
  }

  /** Adds the successful attempt's own seconds to the time budget. */
  private async timed<T>(models: string[], call: Call<Timed<T>>): Promise<Timed<T>> {
    const result = await this.ask(models, call);
    this.seconds += result.seconds;
    return result;
  }

  /** Makes a call on the queue of the language models that it asks, once the flow is not held. */
  private ask<T>(models: string[], call: Call<T>): Promise<T> {
    const made = () =>
      callOnQueue(this.input.settings, models, async (calls) => {
        await this.released();
        this.describe();
        return call(calls);
      });
    return this.submitted ? this.submitted.attempt(made) : made();
  }

  private async released(): Promise<void> {
    if (this.held) await condition(() => !this.held);
  }

  private describe(): void {
    setCurrentDetails(flowDetails(this.input, this.memory, this.outcome, this.finalAnswer(), this.reward));
  }
}
