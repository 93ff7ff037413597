import { condition, setCurrentDetails, setHandler } from '@temporalio/workflow';
import { rolloutCalls } from './calls.js';
import type { Plan, Timed } from './contracts/agent-activities.js';
import { FailureType } from './contracts/failures.js';
import type { AgentFlowInput, AgentFlowResult, MemoryEntry, Outcome, TurnRecord } from './contracts/flow.js';
import { flowDetails, oneLine } from './details.js';
import { failedWith, outOfPatience } from './failed-calls.js';
import { holdSignal } from './messages.js';

/**
 * One agent flow on one query (design 4): analyse, then plan, execute, verify and remember until STOP or a budget is
 * spent, then answer and score. Every call is an activity, so that every turn can be seen, retried and replayed.
 */
export async function agentFlow(input: AgentFlowInput): Promise<AgentFlowResult> {
  const flow = new Flow(input);
  try {
    await flow.analyse();
    while (flow.isOpen()) {
      const plan = await flow.plan();
      if (!plan) break;
      const record = await flow.execute(plan);
      await flow.verifyAndRemember(plan, record);
    }
    await flow.answer();
    await flow.score();
  } catch (error) {
    flow.exclude(error);
  }
  return flow.finish();
}

/** Memory, budgets and outcome of one flow: workflow state, pure but for the activities it calls. */
class Flow {
  private readonly activities;
  private readonly memory: MemoryEntry[] = [];
  private analysis = '';
  private seconds = 0;
  private held = false;
  private outcome: Outcome | undefined;
  private finalAnswer: string | undefined;
  private reward: number | undefined;

  constructor(private readonly input: AgentFlowInput) {
    this.activities = rolloutCalls(input.settings);
    setHandler(holdSignal, (held) => void (this.held = held), {
      description: 'Stop before the next activity, or go on.',
    });
    this.describe();
  }

  isOpen(): boolean {
    return this.outcome === undefined;
  }

  async analyse(): Promise<void> {
    const { flow, query, config } = this.input;
    const { analysis } = await this.timed(() =>
      this.activities.analyseQuery.executeWithOptions({ summary: oneLine(query.question) }, [
        { flow, query, tools: config.tools },
      ]),
    );
    this.analysis = analysis;
  }

  /** The planner's next step; undefined once its own turns have filled the model's context. */
  async plan(): Promise<Plan | undefined> {
    const { flow, query, config, policy, greedy } = this.input;
    const turn = this.memory.length + 1;
    const turnsLeft = config.max_turns - this.memory.length;
    const { analysis, memory } = this;
    const request = {
      flow,
      query,
      analysis,
      tools: config.tools,
      memory,
      turn,
      turnsLeft,
      planner: config.planner,
      policy,
      greedy,
    };
    try {
      return await this.timed(() =>
        this.activities.planTurn.executeWithOptions({ summary: `turn ${turn} of ${config.max_turns}` }, [request]),
      );
    } catch (error) {
      if (turn === 1 || !failedWith(error, FailureType.PromptTooLong)) throw error;
      this.outcome = 'context_filled';
      return undefined;
    }
  }

  /** Runs the planned tool. A plan that could not be read is remembered as the planner's mistake instead. */
  async execute(plan: Plan): Promise<TurnRecord> {
    const { flow, query, model } = this.input;
    const turn = this.memory.length + 1;
    const { tool, subGoal = '' } = plan;
    if (!tool) return { turn, mistake: plan.mistake };
    const { command, result, mistake } = await this.timed(() =>
      this.activities.executeTurn.executeWithOptions({ summary: oneLine(`${tool}: ${subGoal}`) }, [
        { flow, query, turn, model, tool, subGoal },
      ]),
    );
    return { turn, tool, subGoal, command, result, mistake };
  }

  async verifyAndRemember(plan: Plan, record: TurnRecord): Promise<void> {
    const { flow, query } = this.input;
    const memory = [...this.memory, record];
    const { verdict, critique } = await this.timed(() =>
      this.activities.verifyTurn.executeWithOptions({ summary: oneLine(record.mistake ?? record.result ?? '') }, [
        { flow, query, turn: record.turn, memory },
      ]),
    );
    this.memory.push({ ...record, verdict, critique });
    this.outcome = this.closedBy(verdict, plan);
    this.describe();
  }

  async answer(): Promise<void> {
    const { flow, query } = this.input;
    const { answer } = await this.timed(() =>
      this.activities.generateAnswer.executeWithOptions({ summary: this.outcome }, [
        { flow, query, memory: this.memory },
      ]),
    );
    this.finalAnswer = answer;
  }

  async score(): Promise<void> {
    const { flow, query, score } = this.input;
    if (!score) return;
    const answer = this.finalAnswer ?? '';
    await this.released();
    const graded = await this.activities.scoreAnswer.executeWithOptions({ summary: oneLine(answer) }, [
      { flow, query, answer },
    ]);
    this.reward = graded.reward;
  }

  /** Infrastructure past all patience and a first prompt that never fitted exclude a rollout; nothing else does (I2). */
  exclude(error: unknown): void {
    if (failedWith(error, FailureType.PromptTooLong)) this.outcome = 'prompt_too_long';
    else if (outOfPatience(error)) this.outcome = 'infrastructure';
    else throw error;
    this.finalAnswer = undefined;
    this.reward = undefined;
  }

  async finish(): Promise<AgentFlowResult> {
    const { flow, query, policy } = this.input;
    const result: AgentFlowResult = {
      flowId: flow.flowId,
      outcome: this.outcome as Outcome,
      answer: this.finalAnswer,
      reward: this.reward,
      turns: this.memory.length,
      tools: this.memory.map((entry) => entry.tool ?? 'none'),
    };
    this.describe();
    await this.activities.recordRollout.executeWithOptions({ summary: result.outcome }, [
      { flow, query, policy, result, memory: this.memory },
    ]);
    return result;
  }

  private closedBy(verdict: MemoryEntry['verdict'], plan: Plan): Outcome | undefined {
    if (verdict === 'STOP') return 'answered';
    const { max_turns, time_budget_s } = this.input.config;
    if (this.memory.length < max_turns && this.seconds < time_budget_s) return undefined;
    return plan.tool ? 'budget_spent' : 'unparsable_plan';
  }

  /** Calls when not held, and adds the successful attempt's own seconds to the time budget. */
  private async timed<T>(call: () => Promise<Timed<T>>): Promise<Timed<T>> {
    await this.released();
    const result = await call();
    this.seconds += result.seconds;
    return result;
  }

  private async released(): Promise<void> {
    if (this.held) await condition(() => !this.held);
  }

  private describe(): void {
    setCurrentDetails(flowDetails(this.input, this.memory, this.outcome, this.finalAnswer, this.reward));
  }
}
