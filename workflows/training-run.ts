import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  patched,
  setCurrentDetails,
  startChild,
  TemporalFailure,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { timesBudget } from './budget.js';
import { runCalls } from './calls.js';
import { childOptions } from './child-options.js';
import type { PolicyRef } from '../contracts/artifacts.js';
import type { RunFailure } from '../contracts/failures.js';
import { changeableParts } from '../contracts/identity.js';
import type { PlannerEngine, RunConfig } from '../contracts/run-config.js';
import {
  mayFollow,
  NEXT_STATUSES,
  type RunStatus,
  type TrainingRunInput,
  type TrainingRunResult,
  type TrainingRunState,
} from '../contracts/training-run.js';
import { runDetails } from './details.js';
import { HeldChild } from './held-children.js';
import { evaluation } from './evaluation.workflow.js';
import { lastFailure, pausingFailure } from './failed-calls.js';
import { rowWriter } from './row-writer.js';
import * as transitions from './run-transitions.js';
import type { StepContext } from './step-context.js';
import { referenceOf } from '../contracts/training-parts.js';
import { searchAttributes } from '../contracts/search-attributes.js';
import { StickyTrainer } from './trainer.js';
import { TrainingStep } from './training-step.js';

/**
 * What a training run does: it changes its state by the transitions of run-transitions.ts and tells its row. The loop
 * over its steps and its messages are in training-run.workflow.ts.
 */
export class TrainingRun implements StepContext {
  state: TrainingRunState;
  readonly activities;
  readonly trainer: StickyTrainer;
  phase = 'starting';
  /** True once no message can change the course of the run any more. */
  closing = false;
  private openStep: TrainingStep | undefined;
  private openEvaluation: HeldChild | undefined;
  private held = false;
  private lastStatus: Promise<void> = Promise.resolve();

  constructor(readonly input: TrainingRunInput) {
    this.state = input.state ?? transitions.initialState(input.config.steps);
    this.activities = runCalls(input.settings);
    this.trainer = new StickyTrainer(input.settings, this.state.trainerQueue, (queue) => {
      this.state = transitions.heldBy(this.state, queue);
    });
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

  /**
   * What the run's calls must agree in: the parts of its identity that a deployment can change. A part whose change was
   * allowed counts as it is now.
   */
  get agreed(): Record<string, string> {
    return changeableParts({ ...this.state.identity, ...this.state.allowed });
  }

  /**
   * Policy 0, the yardsticks and the accuracy before training: once, in the first execution. A run that was revived
   * makes up for what its last committed step still lacks.
   */
  async begin(): Promise<void> {
    const { revived } = this.input;
    if (this.state.policy && !revived) return;
    await this.setStatus('running');
    if (!this.state.policy) {
      this.enter('initialising policy 0');
      await this.initPolicy();
    } else if (Object.keys(this.state.identity).length === 0) {
      await this.resolveNames();
    }
    for (const planner of this.evaluationsDue()) {
      if (!revived?.evaluated.includes(planner)) await this.attempt(() => this.evaluate(planner));
    }
  }

  /** Waits here, holding nothing, while the run is paused: also when it was resumed and paused again meanwhile. */
  async pausePoint(): Promise<void> {
    if (!this.state.pauseRequested) return;
    this.enter('paused');
    do {
      await this.setStatus('paused');
      await condition(() => !transitions.mustPause(this.state) || this.state.status !== 'paused');
    } while (transitions.mustPause(this.state));
    this.state = transitions.wentOn(this.state);
    await this.setStatus('running');
  }

  async nextStep(): Promise<void> {
    const taken = await this.takeStep();
    this.state = transitions.committed(this.state, taken);
    const { step, policy, metrics, recoveredFrom } = taken;
    const summary = `step ${step}: reward ${metrics.reward_mean.toFixed(3)}`;
    const { runId } = this.input;
    const record = { runId, step, policy, metrics: { ...metrics }, recoveredFrom, state: this.state };
    // It is committed: a cancellation comes after its record.
    await CancellationScope.nonCancellable(() => this.activities.recordStep.executeWithOptions({ summary }, [record]));
    for (const planner of this.evaluationsDue()) await this.attempt(() => this.evaluate(planner));
    this.enter('between steps');
  }

  async complete(): Promise<TrainingRunResult> {
    this.closing = true;
    if (this.state.evaluatedStep !== this.state.step) await this.attempt(() => this.evaluate('policy'));
    await this.attempt(() => this.saveCheckpoint());
    return CancellationScope.nonCancellable(() => this.close('completed'));
  }

  /** Called outside the cancelled scope: the state of the last finished step becomes a checkpoint. */
  async cancelled(): Promise<TrainingRunResult> {
    this.closing = true;
    await this.setStatus('cancelling');
    await this.saveCheckpoint();
    return this.close('cancelled');
  }

  /**
   * What no retry and no decision can mend: the run is marked failed and the Temporal execution with it. Anything but a
   * Temporal failure is a bug of ours (or continue-as-new) and goes to the SDK, which retries the task until it is
   * mended.
   */
  async ended(error: unknown): Promise<never> {
    if (!(error instanceof TemporalFailure)) throw error;
    this.closing = true;
    const failure = lastFailure(error);
    this.state = transitions.endedBy(this.state, failure);
    await this.setStatus('failed');
    throw ApplicationFailure.nonRetryable(failure.message, failure.type);
  }

  /** Stops the flows of the open step and evaluation before their next activity, or lets them go on. */
  async hold(held: boolean): Promise<void> {
    this.held = held;
    await this.openStep?.hold(held);
    const evaluating = this.openEvaluation;
    if (evaluating && patched('hold-reaches-evaluations')) await evaluating.hold(held);
  }

  /**
   * Statuses are written one after another, and also while the run is being cancelled, so that each has its run event:
   * an older one that comes after a newer one has none. A message that waited for something may come after the run has
   * begun to end: its status is then not written.
   * @returns the status that was entered, or that the run has instead
   */
  async setStatus(status: RunStatus): Promise<RunStatus> {
    const { runId } = this.input;
    if (!mayFollow(NEXT_STATUSES, this.state.status, status) && patched('statuses-follow')) return this.state.status;
    this.state = transitions.entered(this.state, status);
    this.show();
    const { state } = this;
    const { step, steps, policy, failure } = state;
    const entry = {
      runId,
      version: state.statusVersion,
      status,
      step,
      steps,
      policy,
      failure,
      state,
      writer: rowWriter(),
    };
    const written = CancellationScope.nonCancellable(async () => {
      await this.lastStatus;
      await this.activities.setRunStatus.executeWithOptions({ summary: status }, [entry]);
    });
    this.lastStatus = written.catch(() => undefined);
    await written;
    return status;
  }

  enter(phase: string): void {
    this.phase = phase;
    this.show();
  }

  private async initPolicy(): Promise<void> {
    const { runId, config } = this.input;
    await this.resolveNames();
    const { policy } = await this.trainer.initPolicy(config.model, {
      run_id: runId,
      model: config.model,
      seed: config.seed,
      weights: config.training.weights,
      dtype: config.training.dtype,
      identity: this.state.identity,
      // It may be of any model: the trainer compares the whole identity, and names all differences at once.
      start: config.from && { ...config.from, policy: await this.resolvePolicy(config.from.policy) },
      reference: this.state.reference,
    });
    this.state = transitions.initialised(this.state, policy);
  }

  /** The identity of the configuration and the reference of the KL term: once in a run. */
  private async resolveNames(): Promise<void> {
    const { config } = this.input;
    const identity = await this.activities.resolveIdentity({ config });
    this.state = transitions.identified(this.state, identity);
    const reference = referenceOf(config.training) ?? 'base';
    if (reference === 'base') return;
    const policy = await this.resolvePolicy(reference, config.model);
    this.state = transitions.referring(this.state, policy);
  }

  /** Planners that are evaluated after the last committed step. */
  private evaluationsDue(): PlannerEngine[] {
    const { every, yardsticks } = this.input.config.evaluation;
    const { step } = this.state;
    if (step === 0) return yardsticks ? ['policy', 'random', 'oracle'] : ['policy'];
    return every > 0 && step % every === 0 ? ['policy'] : [];
  }

  private resolvePolicy(name: string, model?: string): Promise<PolicyRef> {
    return this.activities.resolvePolicy.executeWithOptions({ summary: name }, [{ name, model }]);
  }

  private async takeStep() {
    const step = new TrainingStep(this, this.state.step + 1);
    this.openStep = step;
    if (this.held && patched('steps-start-as-held')) await step.hold(true);
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
    const evaluated = {
      runId,
      runSeed: config.seed,
      step,
      planner,
      policy: this.policy,
      config: { ...config, flow: this.flow },
      settings,
      identity: this.agreed,
      held: this.held,
    };
    const shown = {
      summary: `held-out evaluation, planner ${planner}, after step ${step}`,
      run: runId,
      step,
      policy: this.policy.name,
      benchmark: (config.evaluation.dataset ?? config.dataset).name,
    };
    const options = childOptions(`${runId}/eval/${step}/${planner}`, evaluated, shown);
    const child = await startChild(evaluation, options);
    const evaluating = new HeldChild(child, evaluated.held);
    this.openEvaluation = evaluating;
    // A message may have come while the child was starting.
    if (this.held !== evaluated.held && patched('evaluations-start-as-held')) await evaluating.hold(this.held);
    const summary = await child.result().finally(() => (this.openEvaluation = undefined));
    if (planner === 'policy') this.state = transitions.evaluated(this.state, summary.accuracy);
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
    this.state = transitions.checkpointed(this.state);
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
        const failure = pausingFailure(error);
        if (!failure) throw error;
        await this.pauseFor(failure);
      }
    }
  }

  private async pauseFor(failure: RunFailure): Promise<void> {
    this.state = transitions.stoppedBy(this.state, failure);
    await this.pausePoint();
  }

  private async close(status: RunStatus): Promise<TrainingRunResult> {
    this.enter(status);
    await this.setStatus(status);
    await condition(allHandlersFinished);
    return { status, step: this.state.step, policy: this.state.policy };
  }

  /** Status, step and phase, in the Temporal UI. */
  show(): void {
    setCurrentDetails(runDetails(this.input, this.state, this.phase));
    upsertSearchAttributes([
      { key: searchAttributes.trainingRun, value: this.input.runId },
      { key: searchAttributes.trainingStep, value: this.state.step },
      { key: searchAttributes.runStatus, value: this.state.status },
    ]);
  }
}
