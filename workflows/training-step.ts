import type { BatchHeader, FrozenBatch } from '../contracts/agent-activities.js';
import type { StepMetrics, TrainStepResult } from '../contracts/trainer-activities.js';
import { samplesOf } from './step-samples.js';
import type { RolloutMetrics } from './rollout-metrics.js';
import type { Committed } from './run-transitions.js';
import type { Collected, StepContext, StepSamples } from './step-context.js';

export interface TakenStep extends Committed {
  metrics: StepMetrics & Partial<RolloutMetrics> & { rollout_seconds: number };
  recoveredFrom: TrainStepResult['recovered_from'];
}

/**
 * One training step: turns policy n-1 into policy n. Taking it again, after a failure that a person looked at, repeats
 * nothing that was finished (I3, I4): rollouts that were collected stay.
 */
export class TrainingStep {
  private readonly samples: StepSamples;
  private collected: Collected | undefined;

  /** @param step the number of the step */
  constructor(
    private readonly run: StepContext,
    private readonly step: number,
  ) {
    this.samples = samplesOf(run, step);
  }

  async take(): Promise<TakenStep> {
    this.collected ??= await this.samples.collect();
    const { metrics: rollouts, draws, seconds } = this.collected;
    const batch = await this.freeze();
    const checkpointed = this.savesCheckpoint();
    const { policy, metrics, recovered_from: recoveredFrom } = await this.train(batch, checkpointed);
    return {
      step: this.step,
      policy,
      reward: metrics.reward_mean,
      draws,
      checkpointed,
      metrics: { ...metrics, ...rollouts, rollout_seconds: seconds },
      recoveredFrom,
    };
  }

  async hold(held: boolean): Promise<void> {
    await this.samples.hold(held);
  }

  private freeze(): Promise<FrozenBatch> {
    const { training } = this.run.input.config;
    this.run.enter(`step ${this.step}: freezing the batch`);
    return this.samples.freeze(this.header(), this.run.state.learningRate ?? training.learning_rate);
  }

  private header(): BatchHeader {
    const { runId, config } = this.run.input;
    const { identity, allowed, reference, decision } = this.run.state;
    return {
      runId,
      step: this.step,
      revision: decision?.revision ?? 0,
      policy: this.run.policy,
      reference,
      model: config.model,
      seed: config.seed,
      decision: { skipGroups: decision?.skipGroups ?? [], skipStep: decision?.skipStep ?? false },
      identity,
      allowed,
    };
  }

  private savesCheckpoint(): boolean {
    const { every } = this.run.input.config.checkpoint;
    return this.step % every === 0 || this.step === this.run.state.steps;
  }

  private train(batch: FrozenBatch, save: boolean): Promise<TrainStepResult> {
    const { runId, config } = this.run.input;
    const { identity } = this.run.state;
    this.run.enter(`step ${this.step}: gradient step on ${batch.samples} samples`);
    return this.run.trainer.trainStep(`${this.run.policy.name} → @${this.step}, ${batch.samples} samples`, {
      run_id: runId,
      step: this.step,
      parent_sha256: this.run.policy.sha256,
      batch: { uri: batch.uri, sha256: batch.sha256 },
      model: config.model,
      identity,
      checkpoint: { save, keep: config.checkpoint.keep },
    });
  }
}
