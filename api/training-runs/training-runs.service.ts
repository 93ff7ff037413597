import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import type { EntityTarget } from 'typeorm';
import { runQueries, type TrainingRunProgress } from '../../contracts/messages.js';
import type { RunConfig } from '../../contracts/run-config.js';
import type { OperatorFile } from '../../infra/config/operator-file.js';
import { checkRunConfig } from '../../infra/config/submitted/check-run-config.js';
import type { Checked } from '../../infra/config/submitted/config-issues.js';
import type { TrainingRun } from '../../infra/database/entities/index.js';
import type { ApiIssue } from '../common/api-error.js';
import { sha256Of } from '../submissions/idempotency.js';
import type { KnownPolicy, NamedRun } from '../submissions/known-policies.js';
import { toList, type List } from '../common/list.dto.js';
import { OPERATOR } from '../dependencies.module.js';
import { WakeupsService } from '../events/wakeups.service.js';
import { datasetsOfRun } from '../../infra/config/submitted/uploads.js';
import { ProjectDatasets } from '../submissions/project-datasets.js';
import { ReconcilerService } from '../submissions/reconciler.service.js';
import { RemovalsService } from '../submissions/removal/removals.service.js';
import type { Draft } from '../submissions/submissions.repository.js';
import { Submissions, type Place } from '../submissions/submissions.js';
import { Workflows, type WorkflowStart } from '../temporal/workflows.js';
import { toTrainingRunDto, type TrainingRunDto } from './dto/training-run.dto.js';
import type { ForkBody } from './dto/fork.dto.js';
import { forkedConfig } from './forked-config.js';
import { namedRuns } from './named-runs.js';
import { revivedRun } from './revived-run.js';
import { filterOf, type RunsQuery } from './runs.query.js';
import { startOfRun } from './start-run.js';
import type { StepsQuery } from './steps.query.js';
import { TrainingRunsRepository, type RowOfStep } from './training-runs.repository.js';
import { WaitingRuns } from './waiting-runs.js';

@Injectable()
export class TrainingRunsService
  extends Submissions<TrainingRun, TrainingRunDto, RunConfig>
  implements OnModuleDestroy
{
  private readonly waiting: WaitingRuns;

  constructor(
    private readonly runs: TrainingRunsRepository,
    workflows: Workflows,
    reconciler: ReconcilerService,
    removals: RemovalsService,
    wakeups: WakeupsService,
    private readonly datasets: ProjectDatasets,
    @Inject(OPERATOR) private readonly operator: OperatorFile,
  ) {
    super(
      {
        noun: 'training run',
        workflow: 'trainingRun',
        body: 'a run configuration',
        invalid: 'invalid_run_configuration',
        refused: 'The run configuration cannot be accepted',
        prefix: 'run',
        notFound: 'training_run_not_found',
        ended: 'run_finished',
        revive: (id) => `npx agentflow runs revive ${id}`,
        kept: ({ step, steps }: TrainingRun) => `${step} of ${steps} steps are committed, and stay.`,
      },
      runs,
      workflows,
      removals,
    );
    reconciler.add(this);
    const logger = new Logger(TrainingRunsService.name);
    this.waiting = new WaitingRuns(
      wakeups,
      (project) => this.startNext(project),
      (project, { message }) => logger.warn(`The reconciler starts the next runs of ${project}: ${message}`),
    );
  }

  async onModuleDestroy(): Promise<void> {
    await this.waiting.stop();
  }

  /** The rows that a run has of its steps, as `toDto` shows them. */
  async listByStep<Row extends RowOfStep, Shown>(
    project: string,
    id: string,
    page: StepsQuery,
    entity: EntityTarget<Row>,
    toDto: (row: Row) => Shown,
  ): Promise<List<Shown>> {
    await this.requireKnown(project, id);
    const rows = await this.runs.listByStep(entity, id, page);
    return toList(rows, page.limit, ({ step }) => String(step), toDto);
  }

  /** Newest first, those that the filters let pass. */
  override async list(project: string, query: RunsQuery): Promise<List<TrainingRunDto>> {
    return super.list(project, query, filterOf(query));
  }

  /**
   * Submits the configuration of a run anew, to start from a policy of the run.
   * @throws ApiError as `create` does
   */
  async fork(
    project: string,
    id: string,
    fork: ForkBody,
    idempotencyKey?: string,
  ): Promise<{ dto: TrainingRunDto; created: boolean }> {
    const parent = await this.load(project, id);
    // The last step goes on, and a repeated request is still the same.
    return this.create(project, forkedConfig(parent, fork), idempotencyKey, { fork: id, ...fork });
  }

  /** The workflow's own account, newer than what the database holds; of a run that waits, what it begins with. */
  async progress(project: string, id: string): Promise<TrainingRunProgress> {
    const run = await this.load(project, id);
    const waits = run.status === 'queued' && (await this.start(run)) === 'waiting';
    const queuePosition = waits && (await this.queuePosition(run));
    if (!queuePosition) return this.ask(run, runQueries.progress);
    const { state } = revivedRun(run, { evaluations: [], allowed: [] });
    return { ...state, phase: `number ${queuePosition} in the queue of its project`, queuePosition };
  }

  /**
   * A run may begin if fewer unfinished ones than are allowed at once have a place before its own. Only an end changes
   * that, and no run that is queued later: however many processes count, never do more begin.
   */
  protected override async mustWait(run: TrainingRun): Promise<boolean> {
    const waits = (await this.queuePosition(run)) !== null;
    if (waits) this.waiting.follow(run.project);
    return waits;
  }

  /** Its place among the runs of its project that must wait, from 1; null if it need not. */
  private async queuePosition(run: TrainingRun): Promise<number | null> {
    const { concurrent_training_runs: atOnce } = this.operator.api;
    if (atOnce === undefined || run.status !== 'queued') return null;
    const before = await this.runs.countBefore(run);
    return before < atOnce ? null : before - atOnce + 1;
  }

  /** @returns whether some still wait, or could not be started now */
  private async startNext(project: string): Promise<boolean> {
    // No more than this may begin: if there is one more, it waits.
    const { concurrent_training_runs: atOnce = 0 } = this.operator.api;
    let isLeft = false;
    for (const run of await this.runs.listQueued(project, atOnce + 1)) {
      const start = await this.tryStart(run);
      if (start === 'waiting') return true;
      isLeft ||= start === undefined;
    }
    return isLeft;
  }

  protected override async check(body: unknown, project: string): Promise<Checked<RunConfig>> {
    return this.datasets.check(project, (registered) => checkRunConfig(body, registered), datasetsOfRun);
  }

  protected override async draft(place: Place, config: RunConfig): Promise<Draft<TrainingRun>> {
    const policies = await this.findNamed(place.project, config);
    return {
      row: {
        ...place,
        name: config.name,
        config,
        configSha256: sha256Of(config),
        steps: config.steps,
        step: 0,
        policyName: null,
        policySha256: null,
        eventSequence: 0,
        state: null,
      },
      policies,
    };
  }

  protected override async startOf(run: TrainingRun): Promise<WorkflowStart> {
    return startOfRun(run, await this.runs.revived(run));
  }

  protected override async toDto(run: TrainingRun): Promise<TrainingRunDto> {
    return toTrainingRunDto(run, await this.queuePosition(run));
  }

  /** With the status that the workflow answered, if it did: the row may be a moment behind. */
  protected override told(run: TrainingRun, answer: unknown): TrainingRunDto {
    const status = typeof answer === 'string' && { status: answer as TrainingRunDto['status'] };
    return { ...toTrainingRunDto(run), ...status };
  }

  /**
   * The policies that a configuration names, each of a run of the project: the runs of other projects cannot be named.
   * @throws ApiError 400 that lists all that are not there
   */
  private async findNamed(project: string, config: RunConfig): Promise<Draft<TrainingRun>['policies']> {
    const policies: { param: string; policy: KnownPolicy }[] = [];
    const issues: ApiIssue[] = [];
    for (const named of namedRuns(config)) {
      const { param } = named;
      const found = await this.findOne(project, named);
      if (typeof found === 'string') issues.push({ param, message: `${param}: ${found}` });
      else if (found) policies.push({ param, policy: found });
    }
    if (issues.length > 0) throw this.refused(issues);
    return policies;
  }

  /** @returns the named policy; nothing if only a run was named; or a sentence that says what is not there */
  private async findOne(project: string, { run, policy }: NamedRun): Promise<KnownPolicy | string | undefined> {
    const named = await this.runs.find(project, run);
    if (!named) return `there is no training run "${run}".`;
    if (policy === undefined) return undefined;
    const found = await this.runs.findPolicy(project, policy);
    return found ?? `there is no policy "${policy}": the last step of ${run} is ${named.step}.`;
  }
}
