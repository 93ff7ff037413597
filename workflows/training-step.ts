import { ParentClosePolicy, startChild, type ChildWorkflowHandle } from '@temporalio/workflow';
import type { FrozenBatch } from './contracts/agent-activities.js';
import type { PolicyRef } from './contracts/artifacts.js';
import type { Query } from './contracts/flow.js';
import type { StepMetrics, TrainStepResult } from './contracts/trainer-activities.js';
import type { RolloutGroupResult } from './contracts/training-run.js';
import { oneLine } from './details.js';
import { holdSignal } from './messages.js';
import { allOrFirstFailure } from './in-parallel.js';
import { isScored } from './outcomes.js';
import { rolloutMetrics, type RolloutMetrics } from './rollout-metrics.js';
import { rolloutGroup } from './rollout-group.workflow.js';
import { searchAttributes } from './search-attributes.js';
import type { TrainingRun } from './training-run.js';

/** A group of fewer scored rollouts has no advantage to normalise: it is excluded (design 4). */
const SCORED_AT_LEAST = 2;

export interface TakenStep {
  step: number;
  policy: PolicyRef;
  metrics: StepMetrics & RolloutMetrics & { rollout_seconds: number };
}

/** One training step: turns policy n-1 into policy n. Taking it again repeats nothing that was finished (I3, I4). */
export class TrainingStep {
  private readonly step: number;
  private groups: ChildWorkflowHandle<typeof rolloutGroup>[] = [];
  private held = false;

  constructor(private readonly run: TrainingRun) {
    this.step = run.state.step + 1;
  }

  async take(): Promise<TakenStep> {
    const queries = await this.draw();
    const started = Date.now();
    const groups = await this.rollOut(queries);
    const seconds = (Date.now() - started) / 1000;
    const batch = await this.freeze(groups);
    const { policy, metrics } = await this.train(batch);
    return { step: this.step, policy, metrics: { ...metrics, ...rolloutMetrics(groups), rollout_seconds: seconds } };
  }

  async hold(held: boolean): Promise<void> {
    this.held = held;
    await Promise.all(this.groups.map((group) => group.signal(holdSignal, held).catch(ignoreClosedChild)));
  }

  private draw(): Promise<Query[]> {
    const { config } = this.run.input;
    this.run.enter(`step ${this.step}: drawing queries`);
    return this.run.activities.drawQueries.executeWithOptions({ summary: `step ${this.step}` }, [
      { runSeed: config.seed, step: this.step, count: config.training.queries_per_step, dataset: config.dataset },
    ]);
  }

  private async rollOut(queries: Query[]): Promise<RolloutGroupResult[]> {
    this.run.enter(`step ${this.step}: rolling out ${queries.length} groups on ${this.run.policy.name}`);
    this.groups = await Promise.all(queries.map((query, group) => this.startGroup(query, group)));
    if (this.held) await this.hold(true);
    return allOrFirstFailure(this.groups.map((group) => group.result()));
  }

  private startGroup(query: Query, group: number) {
    const { runId, config, settings } = this.run.input;
    const { policy } = this.run;
    return startChild(rolloutGroup, {
      workflowId: `${runId}/${this.step}/${group}`,
      args: [
        {
          runId,
          runSeed: config.seed,
          step: this.step,
          group,
          rollouts: config.training.group_size,
          query,
          model: config.model,
          config: config.flow,
          policy,
          settings,
        },
      ],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      staticSummary: oneLine(query.question),
      staticDetails: `Group ${group} of step ${this.step}: ${config.training.group_size} rollouts on policy \`${policy.name}\``,
      typedSearchAttributes: [
        { key: searchAttributes.trainingRun, value: runId },
        { key: searchAttributes.trainingStep, value: this.step },
        { key: searchAttributes.policy, value: policy.name },
        { key: searchAttributes.benchmark, value: query.dataset.name },
      ],
    });
  }

  private freeze(groups: RolloutGroupResult[]): Promise<FrozenBatch> {
    const { runId, config } = this.run.input;
    const { learningRate, identity } = this.run.state;
    const scored = groups.map(({ group, rollouts }) => ({
      group,
      rollouts: rollouts.flatMap((result, rollout) => (isScored(result) ? [rollout] : [])),
    }));
    this.run.enter(`step ${this.step}: freezing the batch`);
    return this.run.activities.freezeBatch.executeWithOptions({ summary: `step ${this.step}` }, [
      {
        runId,
        step: this.step,
        policy: this.run.policy,
        model: config.model,
        seed: config.seed,
        training: { ...config.training, learning_rate: learningRate ?? config.training.learning_rate },
        temperature: config.flow.planner.temperature,
        groups: scored.filter(({ rollouts }) => rollouts.length >= SCORED_AT_LEAST),
        identity,
      },
    ]);
  }

  private async train(batch: FrozenBatch): Promise<TrainStepResult> {
    const { runId, config } = this.run.input;
    const { steps, identity } = this.run.state;
    const save = this.step % config.checkpoint.every === 0 || this.step === steps;
    this.run.enter(`step ${this.step}: gradient step on ${batch.samples} samples`);
    const trained = await this.run.trainer.trainStep.executeWithOptions(
      { summary: `${this.run.policy.name} → @${this.step}, ${batch.samples} samples` },
      [
        {
          run_id: runId,
          step: this.step,
          parent_sha256: this.run.policy.sha256,
          batch: { uri: batch.uri, sha256: batch.sha256 },
          model: config.model,
          identity,
          checkpoint: { save, keep: config.checkpoint.keep },
        },
      ],
    );
    if (save) this.run.state.checkpointStep = this.step;
    return trained;
  }
}

function ignoreClosedChild(): void {
  // A group that has ended since cannot be held, and need not be.
}
