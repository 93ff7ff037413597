import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  executeChild,
  ParentClosePolicy,
  setCurrentDetails,
  TemporalFailure,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { timesBudget } from './budget.js';
import { runCalls } from './calls.js';
import type { RunFailure, RunStatus, StepDecision } from './contracts/agent-activities.js';
import type { PolicyRef } from './contracts/artifacts.js';
import { FailureType } from './contracts/failures.js';
import { changeableParts } from './contracts/identity.js';
import type { PlannerEngine, RunConfig } from './contracts/run-config.js';
import type { TrainingRunInput, TrainingRunResult, TrainingRunState } from './contracts/training-run.js';
import { runDetails } from './details.js';
import { evaluation } from './evaluation.workflow.js';
import { endedByHand, explain, listedFailure } from './failed-calls.js';
import { handleMessages } from './run-messages.js';
import { searchAttributes } from './contracts/search-attributes.js';
import { StickyTrainer } from './trainer.js';
import { TrainingStep } from './training-step.js';
import type { trainingRun } from './training-run.workflow.js';

/** Far below the server's 4,096: one more step must fit, whatever its size (I6). */
const EVENTS_PER_EXECUTION = 1500;

/** State and transitions of a training run; the loop over its steps is in training-run.workflow.ts. */
export class TrainingRun {
  readonly state: TrainingRunState;
  readonly activities;
  readonly trainer: StickyTrainer;
  phase = 'starting';
  /** True once no message can change the course of the run any more. */
  closing = false;
  private openStep: TrainingStep | undefined;
  private lastStatus: Promise<void> = Promise.resolve();

  constructor(readonly input: TrainingRunInput) {
    this.state = input.state ?? initialState(input);
    this.activities = runCalls(input.settings);
    this.trainer = new StickyTrainer(input.settings, this.state);
    handleMessages(this);
    this.show();
  }

  get policy(): PolicyRef {
    if (!this.state.policy) throw new Error('the run has no policy before initPolicy: a bug in trainingRun');
    return this.state.policy;
  }

  /** The configuration of the run's flows, with the budget as often as it was granted. */
  get flow(): RunConfig['flow'] {
    const { flow } = this.input.config;
    return { ...flow, budget: flow.budget && timesBudget(flow.budget, this.state.budgets ?? 1) };
  }

  /** What the run's calls must agree in: of its identity what a deployment can change, as far as it was not allowed. */
  get agreed(): Record<string, string> {
    return changeableParts({ ...this.state.identity, ...this.state.allowed });
  }

  hasNextStep(): boolean {
    return this.state.step < this.state.steps && !this.state.stopRequested;
  }

  /** Policy 0, the yardsticks and the accuracy before training: once, in the first execution. */
  async begin(): Promise<void> {
    if (this.state.policy) return;
    await this.setStatus('running');
    this.enter('initialising policy 0');
    await this.initPolicy();
    await this.attempt(() => this.evaluate('policy'));
    if (!this.input.config.evaluation.yardsticks) return;
    for (const planner of ['random', 'oracle'] as const) await this.attempt(() => this.evaluate(planner));
  }

  /** Waits here, holding nothing, while the run is paused: also when it was resumed and paused again meanwhile. */
  async pausePoint(): Promise<void> {
    const { state } = this;
    const pauses = () => state.pauseRequested && (!state.stopRequested || state.failure !== undefined);
    if (!state.pauseRequested) return;
    this.enter('paused');
    do {
      await this.setStatus('paused');
      await condition(() => !pauses() || state.status !== 'paused');
    } while (pauses());
    this.state.pauseRequested = false;
    if (this.state.failure?.type === FailureType.BudgetSpent) this.state.budgets = (this.state.budgets ?? 1) + 1;
    this.state.failure = undefined;
    await this.setStatus('running');
  }

  async nextStep(): Promise<void> {
    const { step, policy, metrics } = await this.takeStep();
    this.state.step = step;
    this.state.decision = undefined;
    this.state.policy = policy;
    this.state.lastReward = metrics.reward_mean;
    const summary = `step ${step}: reward ${metrics.reward_mean.toFixed(3)}`;
    const record = { runId: this.input.runId, step, policy, metrics: { ...metrics } };
    // It is committed: a cancellation comes after its record.
    await CancellationScope.nonCancellable(() => this.activities.recordStep.executeWithOptions({ summary }, [record]));
    const { every } = this.input.config.evaluation;
    if (every > 0 && step % every === 0) await this.attempt(() => this.evaluate('policy'));
    this.enter('between steps');
  }

  historyIsLong(): boolean {
    const { historyLength, continueAsNewSuggested } = workflowInfo();
    return continueAsNewSuggested || historyLength > EVENTS_PER_EXECUTION;
  }

  /** Messages not yet acted upon travel in the state; the server redelivers one that arrives while this happens. */
  async continueAsNew(): Promise<never> {
    await condition(allHandlersFinished);
    return continueAsNew<typeof trainingRun>({ ...this.input, state: this.state });
  }

  async complete(): Promise<TrainingRunResult> {
    this.closing = true;
    if (this.state.evaluatedStep !== this.state.step) await this.attempt(() => this.evaluate('policy'));
    await this.attempt(() => this.saveCheckpoint());
    return CancellationScope.nonCancellable(() => this.close('completed'));
  }

  /** Called outside the cancelled scope: the state of the last finished step becomes a checkpoint (design 4). */
  async cancelled(): Promise<TrainingRunResult> {
    this.closing = true;
    await this.setStatus('cancelling');
    await this.saveCheckpoint();
    return this.close('cancelled');
  }

  /**
   * What no retry and no decision can mend: the run is marked failed and the Temporal execution with it. Anything but a
   * Temporal failure is a bug of ours (or continue-as-new) and goes to the SDK, which retries the task until it is mended.
   */
  async ended(error: unknown): Promise<never> {
    if (!(error instanceof TemporalFailure)) throw error;
    this.closing = true;
    this.state.failure = listedFailure(error) ?? { type: 'Unexpected', message: explain(error) };
    await this.setStatus('failed');
    throw ApplicationFailure.nonRetryable(this.state.failure.message, this.state.failure.type);
  }

  /** Stops the open step's rollouts before their next activity, or lets them go on. */
  async hold(held: boolean): Promise<void> {
    await this.openStep?.hold(held);
  }

  /**
   * Statuses are written one after another and whatever is cancelled, so that each has its run event: an older one after
   * a newer one has none.
   */
  async setStatus(status: RunStatus): Promise<void> {
    const { runId } = this.input;
    const { step, steps, policy, failure } = this.state;
    this.state.status = status;
    this.state.statusVersion += 1;
    this.show();
    const entry = { runId, version: this.state.statusVersion, status, step, steps, policy, failure };
    const written = CancellationScope.nonCancellable(async () => {
      await this.lastStatus;
      await this.activities.setRunStatus.executeWithOptions({ summary: status }, [entry]);
    });
    this.lastStatus = written.catch(() => undefined);
    await written;
  }

  /** What a person decides about a step whose loss was not finite: frozen with a batch of its own (I4). */
  decide(decision: Partial<StepDecision>): void {
    const before = this.state.decision;
    this.state.decision = {
      revision: (before?.revision ?? 0) + 1,
      skipGroups: [...new Set([...(before?.skipGroups ?? []), ...(decision.skipGroups ?? [])])].sort((a, b) => a - b),
      skipStep: decision.skipStep ?? false,
    };
  }

  enter(phase: string): void {
    this.phase = phase;
    this.show();
  }

  private async initPolicy(): Promise<void> {
    const { runId, config } = this.input;
    this.state.identity = await this.activities.resolveIdentity({ config });
    const reference = config.training.objective === 'sft' ? 'base' : config.training.kl.reference;
    if (reference !== 'base') this.state.reference = await this.resolvePolicy(reference, config.model);
    const { policy } = await this.trainer.initPolicy(config.model, {
      run_id: runId,
      model: config.model,
      seed: config.seed,
      weights: config.training.weights,
      dtype: config.training.dtype,
      identity: this.state.identity,
      // Of any model: the trainer compares it whole, and names all that differs at once.
      start: config.from && { ...config.from, policy: await this.resolvePolicy(config.from.policy) },
      reference: this.state.reference,
    });
    this.state.policy = policy;
  }

  private resolvePolicy(name: string, model?: string): Promise<PolicyRef> {
    return this.activities.resolvePolicy.executeWithOptions({ summary: name }, [{ name, model }]);
  }

  private async takeStep() {
    const step = new TrainingStep(this);
    this.openStep = step;
    try {
      return await this.attempt(() => step.take());
    } finally {
      this.openStep = undefined;
    }
  }

  private async evaluate(planner: PlannerEngine): Promise<void> {
    const { runId, config, settings } = this.input;
    const { step } = this.state;
    this.enter(`evaluating planner ${planner} after step ${step}`);
    const summary = await executeChild(evaluation, {
      workflowId: `${runId}/eval/${step}/${planner}`,
      args: [
        {
          runId,
          runSeed: config.seed,
          step,
          planner,
          policy: this.policy,
          config: { ...config, flow: this.flow },
          settings,
          identity: this.agreed,
        },
      ],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      staticSummary: `held-out evaluation, planner ${planner}, after step ${step}`,
      typedSearchAttributes: [
        { key: searchAttributes.trainingRun, value: runId },
        { key: searchAttributes.trainingStep, value: step },
        { key: searchAttributes.policy, value: this.policy.name },
        { key: searchAttributes.benchmark, value: (config.evaluation.dataset ?? config.dataset).name },
      ],
    });
    if (planner !== 'policy') return;
    this.state.evaluatedStep = step;
    this.state.lastAccuracy = summary.accuracy;
  }

  private async saveCheckpoint(): Promise<void> {
    const { step, policy, identity, checkpointStep } = this.state;
    if (!policy || checkpointStep === step) return;
    const { runId, config } = this.input;
    const request = {
      run_id: runId,
      step,
      sha256: policy.sha256,
      model: config.model,
      identity,
      keep: config.checkpoint.keep,
    };
    await this.trainer.saveCheckpoint(policy.name, request);
    this.state.checkpointStep = step;
  }

  /**
   * Work that a failure of the closed list pauses, or the end of a child by hand: an operator looks, mends and resumes,
   * and it is tried again.
   */
  private async attempt<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const failure = listedFailure(error) ?? endedByHand(error);
        if (!failure) throw error;
        await this.pauseFor(failure);
      }
    }
  }

  private async pauseFor(failure: RunFailure): Promise<void> {
    this.state.failure = failure;
    this.state.pauseRequested = true;
    await this.pausePoint();
  }

  private async close(status: RunStatus): Promise<TrainingRunResult> {
    this.enter(status);
    await this.setStatus(status);
    await condition(allHandlersFinished);
    return { status, step: this.state.step, policy: this.state.policy };
  }

  private show(): void {
    setCurrentDetails(runDetails(this.input, this.state, this.phase));
    upsertSearchAttributes([
      { key: searchAttributes.trainingRun, value: this.input.runId },
      { key: searchAttributes.trainingStep, value: this.state.step },
      { key: searchAttributes.runStatus, value: this.state.status },
    ]);
  }
}

function initialState(input: TrainingRunInput): TrainingRunState {
  return {
    step: 0,
    status: 'queued',
    statusVersion: 0,
    steps: input.config.steps,
    identity: {},
    draws: 0,
    checkpointStep: 0,
    pauseRequested: false,
    stopRequested: false,
  };
}
