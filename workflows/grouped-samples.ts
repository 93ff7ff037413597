import { ParentClosePolicy, startChild, type ChildWorkflowHandle } from '@temporalio/workflow';
import type { Query } from './contracts/flow.js';
import type { FlowGrpoTraining } from './contracts/training-config.js';
import type { RolloutGroupResult } from './contracts/training-run.js';
import { oneLine } from './details.js';
import { allOrFirstFailure } from './in-parallel.js';
import { holdSignal } from './messages.js';
import { isScored } from './outcomes.js';
import { rolloutGroup } from './rollout-group.workflow.js';
import { searchAttributes } from './contracts/search-attributes.js';
import type { TrainingRun } from './training-run.js';

/** A group of fewer scored rollouts has no advantage to normalise: it is excluded (design 4). */
const SCORED_AT_LEAST = 2;

/** The groups of a step: queries drawn, rolled out on policy n-1, and accepted in the order in which they were drawn. */
export class GroupedSamples {
  private readonly finished: RolloutGroupResult[] = [];
  private open: ChildWorkflowHandle<typeof rolloutGroup>[] = [];
  private held = false;
  private seconds = 0;

  constructor(
    private readonly run: TrainingRun,
    private readonly step: number,
    private readonly training: FlowGrpoTraining,
  ) {}

  /**
   * Rolls groups out until enough are accepted or the bound is met. One round ends before the next is drawn: which
   * groups are accepted depends on their draw index, never on which of them was finished first.
   */
  async collect(): Promise<{ groups: RolloutGroupResult[]; draws: number; seconds: number }> {
    while (this.missing() > 0) await this.rollOutRound(this.missing());
    return { groups: this.finished, draws: this.finished.length, seconds: this.seconds };
  }

  /** The groups that enter the batch, in draw order, with the rollouts that were scored. */
  accepted(): { group: number; rollouts: number[] }[] {
    const enough = this.finished.filter((result) => this.accepts(result)).slice(0, this.training.queries_per_step);
    return enough.map(({ group, rollouts }) => ({
      group,
      rollouts: rollouts.flatMap((result, rollout) => (isScored(result) ? [rollout] : [])),
    }));
  }

  async hold(held: boolean): Promise<void> {
    this.held = held;
    await Promise.all(this.open.map((group) => group.signal(holdSignal, held).catch(ignoreClosedChild)));
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
    this.open = await Promise.all(queries.map((query, index) => this.startGroup(query, first + index)));
    if (this.held) await this.hold(true);
    this.finished.push(...(await allOrFirstFailure(this.open.map((group) => group.result()))));
    this.open = [];
    this.seconds += (Date.now() - started) / 1000;
  }

  private draw(first: number, count: number): Promise<Query[]> {
    const { runId, config } = this.run.input;
    return this.run.activities.drawQueries.executeWithOptions({ summary: `step ${this.step}` }, [
      {
        run: { runId, identity: this.run.agreed },
        runSeed: config.seed,
        step: this.step,
        first,
        count,
        dataset: config.dataset,
      },
    ]);
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
          rollouts: this.training.group_size,
          query,
          model: config.model,
          config: this.run.flow,
          policy,
          settings,
          identity: this.run.agreed,
        },
      ],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      staticSummary: oneLine(query.question),
      staticDetails: `Group ${group} of step ${this.step}: ${this.training.group_size} rollouts on policy \`${policy.name}\``,
      typedSearchAttributes: [
        { key: searchAttributes.trainingRun, value: runId },
        { key: searchAttributes.trainingStep, value: this.step },
        { key: searchAttributes.policy, value: policy.name },
        { key: searchAttributes.benchmark, value: query.dataset.name },
      ],
    });
  }
}

function ignoreClosedChild(): void {
  // A group that has ended since cannot be held, and need not be.
}
