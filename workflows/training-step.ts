import type { BatchHeader, FrozenBatch } from './contracts/agent-activities.js';
import type { PolicyRef } from './contracts/artifacts.js';
import type { StepMetrics, TrainStepResult } from './contracts/trainer-activities.js';
import type { RolloutGroupResult } from './contracts/training-run.js';
import { GroupedSamples } from './grouped-samples.js';
import { rolloutMetrics, type RolloutMetrics } from './rollout-metrics.js';
import type { TrainingRun } from './training-run.js';

export interface TakenStep {
  step: number;
  policy: PolicyRef;
  metrics: StepMetrics & Partial<RolloutMetrics> & { rollout_seconds: number };
}

interface Collected {
  groups: RolloutGroupResult[];
  draws: number;
  seconds: number;
}

/**
 * One training step: turns policy n-1 into policy n. Taking it again, after a failure that a person looked at, repeats
 * nothing that was finished (I3, I4): rollouts that were collected stay.
 */
export class TrainingStep {
  private readonly step: number;
  private readonly samples: GroupedSamples | undefined;
  private collected: Collected | undefined;

  constructor(private readonly run: TrainingRun) {
    this.step = run.state.step + 1;
    const { training } = run.input.config;
    if (training.objective !== 'sft') this.samples = new GroupedSamples(run, this.step, training);
  }

  async take(): Promise<TakenStep> {
    this.collected ??= (await this.samples?.collect()) ?? { groups: [], draws: 0, seconds: 0 };
    const { groups, draws, seconds } = this.collected;
    const batch = await this.freeze(draws);
    const { policy, metrics } = await this.train(batch);
    const rollouts = groups.length > 0 ? rolloutMetrics(groups) : {};
    this.run.state.draws += draws;
    return { step: this.step, policy, metrics: { ...metrics, ...rollouts, rollout_seconds: seconds } };
  }

  async hold(held: boolean): Promise<void> {
    await this.samples?.hold(held);
  }

  private freeze(draws: number): Promise<FrozenBatch> {
    const { config } = this.run.input;
    const learning_rate = this.run.state.learningRate ?? config.training.learning_rate;
    const summary = { summary: `step ${this.step}` };
    this.run.enter(`step ${this.step}: freezing the batch`);
    const { activities } = this.run;
    if (config.training.objective === 'sft') {
      const training = { ...config.training, learning_rate };
      return activities.freezeRecordedBatch.executeWithOptions(summary, [{ ...this.header(), training }]);
    }
    return activities.freezeBatch.executeWithOptions(summary, [
      {
        ...this.header(),
        training: { ...config.training, learning_rate },
        temperature: config.flow.planner.temperature,
        responseLimit: config.flow.planner.max_tokens,
        groups: this.samples?.accepted() ?? [],
        draws,
      },
    ]);
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

  private async train(batch: FrozenBatch): Promise<TrainStepResult> {
    const { runId, config } = this.run.input;
    const { steps, identity } = this.run.state;
    const save = this.step % config.checkpoint.every === 0 || this.step === steps;
    this.run.enter(`step ${this.step}: gradient step on ${batch.samples} samples`);
    const trained = await this.run.trainer.trainStep(
      `${this.run.policy.name} → @${this.step}, ${batch.samples} samples`,
      {
        run_id: runId,
        step: this.step,
        parent_sha256: this.run.policy.sha256,
        batch: { uri: batch.uri, sha256: batch.sha256 },
        model: config.model,
        identity,
        checkpoint: { save, keep: config.checkpoint.keep },
      },
    );
    if (save) this.run.state.checkpointStep = this.step;
    return trained;
  }
}
