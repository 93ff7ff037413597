import { ApplicationFailure, patched, startChild } from '@temporalio/workflow';
import type { BatchHeader, FrozenBatch } from '../contracts/agent-activities.js';
import { FailureType } from '../contracts/failures.js';
import { OUTAGE_OUTCOMES, type Query } from '../contracts/flow.js';
import { QUESTION_BYTES_PER_PAYLOAD, QUESTIONS_PER_PAYLOAD } from '../contracts/run-limits.js';
import type { RolloutTraining } from '../contracts/training-config.js';
import type { RolloutGroupResult } from '../contracts/training-run.js';
import { childOptions } from './child-options.js';
import { oneLine } from './details.js';
import { HeldChild } from './held-children.js';
import { allOrFirstFailure } from './in-parallel.js';
import { inPages } from './questions.js';
import { isScored } from './outcomes.js';
import { rolloutMetrics } from './rollout-metrics.js';
import { rolloutGroup } from './rollout-group.workflow.js';
import type { Collected, StepContext, StepSamples } from './step-context.js';

/** A group of fewer scored rollouts has no advantage to normalise: it is excluded. */
const SCORED_AT_LEAST = 2;

/**
 * The groups of a step: queries drawn, rolled out on policy n-1, and accepted in the order in which they were drawn.
 */
export class GroupedSamples implements StepSamples {
  private readonly finished: RolloutGroupResult[] = [];
  private open: HeldChild[] = [];
  private held = false;
  private seconds = 0;

  constructor(
    private readonly run: StepContext,
    private readonly step: number,
    private readonly training: RolloutTraining,
  ) {}

  /**
   * Rolls groups out until enough are accepted or the bound is met. One round ends before the next is drawn: which
   * groups are accepted depends on their draw index, never on which of them was finished first.
   */
  async collect(): Promise<Collected> {
    while (this.missing() > 0) await this.rollOutRound(this.missing());
    if (this.lostToOutages() && patched('a-step-without-scored-rollouts-pauses')) throw this.nothingScored();
    return { metrics: rolloutMetrics(this.finished), draws: this.finished.length, seconds: this.seconds };
  }

  freeze(header: BatchHeader, learning_rate: number): Promise<FrozenBatch> {
    const { temperature, max_tokens } = this.run.input.config.flow.planner;
    return this.run.activities.freezeBatch.executeWithOptions({ summary: `step ${this.step}` }, [
      {
        ...header,
        training: { ...this.training, learning_rate },
        temperature,
        responseLimit: max_tokens,
        groups: this.accepted(),
        draws: this.finished.length,
      },
    ]);
  }

  async hold(held: boolean): Promise<void> {
    this.held = held;
    await Promise.all(this.open.map((group) => group.hold(held)));
  }

  /** The groups that enter the batch, in draw order, with the rollouts that were scored. */
  private accepted(): { group: number; rollouts: number[] }[] {
    const enough = this.finished.filter((result) => this.accepts(result)).slice(0, this.training.queries_per_step);
    return enough.map(({ group, rollouts }) => ({
      group,
      rollouts: rollouts.flatMap((result, rollout) => (isScored(result) ? [rollout] : [])),
    }));
  }

  /** Whether outages left no group to learn from. Without this check an empty batch would be committed as a step. */
  private lostToOutages(): boolean {
    if (this.finished.some(({ rollouts }) => rollouts.filter(isScored).length >= SCORED_AT_LEAST)) return false;
    return this.finished.some(({ rollouts }) => rollouts.some(({ outcome }) => OUTAGE_OUTCOMES.includes(outcome)));
  }

  /**
   * Forgets what was collected: the same queries are rolled out again, and turns that have a row are not sampled again.
   */
  private nothingScored(): ApplicationFailure {
    const rollouts = this.finished.flatMap((group) => group.rollouts);
    this.finished.length = 0;
    this.seconds = 0;
    return ApplicationFailure.nonRetryable(
      `Step ${this.step} has nothing to learn from: of its ${rollouts.length} rollouts ` +
        `${rollouts.filter((result) => !isScored(result)).length} were lost to outages or to the group's deadline, and no ` +
        'group has two that were scored. Nothing is committed. When the outage is over, resume the run: they are made again.',
      FailureType.NothingScored,
    );
  }

  private missing(): number {
    const { queries_per_step: wanted, groups } = this.training;
    const drawn = this.finished.length;
    if (typeof groups === 'string') return wanted - drawn;
    const bound = Math.floor(wanted * groups.over_sample);
    return Math.min(wanted - this.accepted().length, bound - drawn);
  }

  private accepts({ rollouts }: RolloutGroupResult): boolean {
    const rewards = rollouts.filter(isScored).map(({ reward }) => reward);
    if (rewards.length < SCORED_AT_LEAST) return false;
    return typeof this.training.groups === 'string' || new Set(rewards).size > 1;
  }

  private async rollOutRound(count: number): Promise<void> {
    const first = this.finished.length;
    this.run.enter(`step ${this.step}: drawing queries`);
    const queries = await this.draw(first, count);
    this.run.enter(`step ${this.step}: rolling out ${count} groups on ${this.run.policy.name}`);
    const started = Date.now();
    const groups = await Promise.all(queries.map((query, index) => this.startGroup(query, first + index)));
    this.open = groups.map((group) => new HeldChild(group));
    if (this.held) await this.hold(true);
    this.finished.push(...(await allOrFirstFailure(groups.map((group) => group.result()))));
    this.open = [];
    this.seconds += (Date.now() - started) / 1000;
  }

  private draw(first: number, count: number): Promise<Query[]> {
    const { runId, config } = this.run.input;
    const page = (offset: number, size: number) =>
      this.run.activities.drawQueries.executeWithOptions({ summary: `step ${this.step}` }, [
        {
          run: { runId, identity: this.run.agreed },
          runSeed: config.seed,
          step: this.step,
          first: first + offset,
          count: size,
          bytes: QUESTION_BYTES_PER_PAYLOAD,
          dataset: config.dataset,
        },
      ]);
    const fits = count <= QUESTIONS_PER_PAYLOAD;
    return fits || patched('questions-are-drawn-in-pages') ? inPages(count, page) : page(0, count);
  }

  private startGroup(query: Query, group: number) {
    const { runId, config, settings } = this.run.input;
    const { policy } = this.run;
    const { group_size: rollouts } = this.training;
    const input = {
      runId,
      runSeed: config.seed,
      step: this.step,
      group,
      rollouts,
      query,
      model: config.model,
      config: this.run.flow,
      policy,
      settings,
      identity: this.run.agreed,
    };
    const shown = {
      summary: oneLine(query.question),
      details: `Group ${group} of step ${this.step}: ${rollouts} rollouts on policy \`${policy.name}\``,
      run: runId,
      step: this.step,
      policy: policy.name,
      benchmark: query.dataset.name,
    };
    return startChild(rolloutGroup, childOptions(`${runId}/${this.step}/${group}`, input, shown));
  }
}
