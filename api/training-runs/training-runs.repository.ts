import { Inject, Injectable } from '@nestjs/common';
import { DataSource, IsNull, LessThan, type EntityManager, type EntityTarget } from 'typeorm';
import type { ArtifactStore } from '../../infra/artifacts/artifact-store.js';
import { HeldOutEvaluation, RunEvent, TrainingRun, TrainingStep } from '../../infra/database/entities/index.js';
import { appendEvent } from '../../infra/database/run-events.js';
import type { RowEnding } from '../../infra/database/submission-rows.js';
import type { NamedRun } from '../submissions/known-policies.js';
import type { StepsQuery } from './steps.query.js';
import { ARTIFACTS } from '../dependencies.module.js';
import { datasetsOfRun, type NamedDataset } from '../../infra/config/submitted/uploads.js';
import { SubmissionsRepository, type Draft, type NewRow } from '../submissions/submissions.repository.js';
import type { RevivedInput } from './start-run.js';
import { namedRuns } from './named-runs.js';
import { revivedRun } from './revived-run.js';
import { requireUnpinned, requireUnused } from './users-of-run.js';

/** A row that a run has of each of its steps, or of some. */
export interface RowOfStep {
  runId: string;
  step: number;
}

@Injectable()
export class TrainingRunsRepository extends SubmissionsRepository<TrainingRun> {
  constructor(dataSource: DataSource, @Inject(ARTIFACTS) artifacts: ArtifactStore) {
    super(dataSource, artifacts, TrainingRun);
  }

  /** Where the workflow of a run that was queued again begins; undefined for its first workflow. */
  async revived(run: TrainingRun): Promise<RevivedInput | undefined> {
    if (run.statusVersion === 0) return undefined;
    const { manager } = this.dataSource;
    const runId = run.id;
    const [lastStep, evaluations, allowances] = await Promise.all([
      manager.findOneBy(TrainingStep, { runId, step: run.step }),
      manager.findBy(HeldOutEvaluation, { runId }),
      manager.find(RunEvent, { where: { runId, type: 'identity.allowed' }, order: { sequence: 'ASC' } }),
    ]);
    const allowed = allowances.map(({ data }) => data['is'] as Record<string, string>);
    return revivedRun(run, { ...(lastStep && { lastStep }), evaluations, allowed });
  }

  /** How many unfinished runs of its project are before a run in the queue. */
  async countBefore({ project, place }: TrainingRun): Promise<number> {
    return this.dataSource
      .getRepository(TrainingRun)
      .countBy({ project, finishedAt: IsNull(), place: LessThan(place!) });
  }

  /** The first queued runs of a project, in the order of the queue. */
  async listQueued(project: string, limit: number): Promise<TrainingRun[]> {
    return this.dataSource
      .getRepository(TrainingRun)
      .find({ where: { project, status: 'queued', finishedAt: IsNull() }, order: { place: 'ASC' }, take: limit });
  }

  /** The rows that a run has of its steps, ascending; one more than `limit`. */
  async listByStep<Row extends RowOfStep>(
    entity: EntityTarget<Row>,
    runId: string,
    { after, limit, step }: StepsQuery,
  ): Promise<Row[]> {
    const query = this.dataSource
      .getRepository(entity)
      .createQueryBuilder('row')
      .where('row.runId = :runId AND row.step > :after', { runId, after: after ?? -1 })
      .orderBy('row.step')
      .limit(limit + 1);
    if (step !== undefined) query.andWhere('row.step = :step', { step });
    return query.getMany();
  }

  protected override datasetsIn({ config }: NewRow<TrainingRun>): NamedDataset[] {
    return datasetsOfRun(config);
  }

  /** A fork that has its policy 0 no longer needs its parent's policy. */
  protected override namedBy({ config, policyName }: NewRow<TrainingRun>): NamedRun[] {
    return namedRuns(config).filter(({ param }) => param !== 'from.policy' || policyName === null);
  }

  protected override async created(manager: EntityManager, { row }: Draft<TrainingRun>): Promise<void> {
    await appendEvent(manager, row.id, 'status/0', 'run.queued', { status: 'queued', step: row.step });
  }

  protected override async requireUnused(manager: EntityManager, id: string): Promise<void> {
    await requireUnused(manager, id);
    await requireUnpinned(manager, id);
  }

  protected override async ended(
    manager: EntityManager,
    run: TrainingRun,
    { status, failure }: RowEnding,
  ): Promise<void> {
    const { id, statusVersion, step, steps, policyName, policySha256 } = run;
    const policy = policyName !== null && { policy: policyName, policy_sha256: policySha256 };
    await appendEvent(manager, id, `lost/${statusVersion}`, `run.${status}`, {
      status,
      step,
      steps,
      ...policy,
      ...(failure && { failure }),
    });
  }

  protected override async requeued(manager: EntityManager, run: TrainingRun): Promise<void> {
    const { id, statusVersion, step, steps } = run;
    await appendEvent(manager, id, `status/${statusVersion + 1}`, 'run.queued', { status: 'queued', step, steps });
  }
}
