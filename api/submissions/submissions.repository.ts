import type { ImageRef } from '../../contracts/flow.js';
import { In, type DataSource, type EntityManager, type EntityTarget, type SelectQueryBuilder } from 'typeorm';
import type { ArtifactStore } from '../../infra/artifacts/artifact-store.js';
import { IdempotencyKey, Removal } from '../../infra/database/entities/index.js';
import type { Submission } from '../../infra/database/entities/submission.entity.js';
import { endRow, isEnded, newStartToken, requeueRow, type RowEnding } from '../../infra/database/submission-rows.js';
import { conflict } from '../common/api-error.js';
import { createOnce, type Idempotency } from './idempotency.js';
import {
  claimRuns,
  findPolicy,
  requireNamed,
  requireStanding,
  type KnownPolicy,
  type NamedRun,
} from './known-policies.js';
import type { NamedDataset } from '../../infra/config/submitted/uploads.js';
import { claimUploads } from './project-datasets.js';

const UNFINISHED = ['queued', 'running', 'pausing', 'paused', 'cancelling'];

/** A row that is about to be written: its place, and the columns of its kind as they begin. */
export type NewRow<Row extends Submission> = Omit<Row, Exclude<keyof Submission, 'id' | 'project'>>;

/** What is to be created. */
export interface Draft<Row extends Submission> {
  row: NewRow<Row>;
  /** The policies that it uses, by the key that names each: they are kept until it has ended. */
  policies: readonly { param: string; policy: KnownPolicy }[];
}

/** Adds conditions on `submission` to a query of a list. */
export type Filter<Row extends Submission> = (query: SelectQueryBuilder<Row>) => SelectQueryBuilder<Row>;

/** The rows of a kind. A kind that names policies, or writes more than its row, has a class of its own. */
export class SubmissionsRepository<Row extends Submission> {
  constructor(
    protected readonly dataSource: DataSource,
    protected readonly artifacts: ArtifactStore,
    private readonly entity: EntityTarget<Row>,
  ) {}

  /**
   * Writes a queued row and its idempotency record in one transaction.
   * @returns the id of what an earlier request with the key created, and then nothing is written
   * @throws ApiError 409 if that request had another body; 400 if a policy was collected, or a run deleted
   */
  async create(draft: Draft<Row>, idempotency?: Idempotency): Promise<string | undefined> {
    const { row, policies } = draft;
    const entity = this.entity as EntityTarget<Submission>;
    return createOnce(this.dataSource, row, idempotency, async (manager) => {
      await manager.insert(entity, { ...row, status: 'queued', workflow: newStartToken() });
      await this.created(manager, draft);
      for (const { param, policy } of policies) await requireStanding(this.artifacts, param, policy);
      await claimRuns(manager, row.project, this.namedBy(row));
      await claimUploads(manager, this.datasetsIn(row));
    });
  }

  async find(project: string, id: string): Promise<Row | null> {
    return this.query().where({ project, id }).getOne();
  }

  async isKnown(project: string, id: string): Promise<boolean> {
    return this.query().where({ project, id }).getExists();
  }

  /** Newest first, those before `last` that the filter lets pass; one more than `limit`. */
  async list(project: string, limit: number, last?: Row, filter: Filter<Row> = (query) => query): Promise<Row[]> {
    const query = this.query()
      .where({ project })
      .orderBy('submission.number', 'DESC')
      .limit(limit + 1);
    if (last) query.andWhere('submission.number < :number', { number: last.number });
    return filter(query).getMany();
  }

  /**
   * A page of the rows of all projects that have not ended, in the order of their creation.
   * @param after number of the last row that is known
   */
  async listUnfinished(after: number, limit: number): Promise<Row[]> {
    return this.query()
      .where({ status: In(UNFINISHED) })
      .andWhere('submission.number > :after', { after })
      .orderBy('submission.number', 'ASC')
      .limit(limit)
      .getMany();
  }

  /** Ends a row in the place of its workflow, which is gone. @returns false if the row has moved on meanwhile */
  async end(row: Row, ending: RowEnding): Promise<boolean> {
    return this.endWith(row, ending);
  }

  /**
   * Cancels a queued row that has no workflow. If one is being started at this moment, it finds that the row knows it no
   * longer, and ends by itself.
   * @returns false if the row has moved on meanwhile
   */
  async cancelQueued(row: Row): Promise<boolean> {
    return this.endWith(row, { status: 'cancelled', failure: null }, { workflow: newStartToken() });
  }

  /**
   * Puts a row whose workflow is gone back in the queue.
   * @throws ApiError 400 if what it needs is not there any more
   */
  async requeue(row: Row): Promise<void> {
    const { project } = row;
    await this.dataSource.transaction(async (manager) => {
      const entity = this.entity as EntityTarget<Submission>;
      if (!(await requeueRow(manager, entity, row, this.columnsOfNextLife(row)))) return;
      await this.requeued(manager, row);
      const named = this.namedBy(row);
      for (const { param, policy } of named) {
        if (policy !== undefined) await requireNamed(manager, this.artifacts, { project, param, policy });
      }
      await claimRuns(manager, project, named);
    });
  }

  /**
   * Deletes a row and the idempotency key that it was created with, and notes its removal instead. From then on it is
   * in no list, cannot be named and cannot be revived. The RemovalsService deletes the rest of it.
   * @throws ApiError 409 if it has not ended, or something unfinished uses it
   */
  async remove({ id, project }: Row): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      const entity = this.entity as EntityTarget<Submission>;
      // Whoever is about to use it (claimRuns), to revive it or to write its status is waited for, or waits for this.
      const row = await manager.findOne(entity, { where: { id, project }, lock: { mode: 'pessimistic_write' } });
      if (!row) return;
      if (!isEnded(row)) throw notEnded(row);
      await this.requireUnused(manager, id);
      await manager.insert(Removal, { id, project, images: this.imagesOf(row as Row) });
      await manager.delete(IdempotencyKey, { project, submissionId: id });
      await manager.delete(entity, { id });
    });
  }

  async findPolicy(project: string, name: string): Promise<KnownPolicy | undefined> {
    return findPolicy(this.dataSource.manager, project, name);
  }

  /** The removal of what had this id; null if nothing with this id was removed. */
  async findRemoval(project: string, id: string): Promise<Removal | null> {
    return this.dataSource.getRepository(Removal).findOneBy({ project, id });
  }

  /** The runs that a row needs as long as it has not ended, by themselves or with one of their policies. */
  protected namedBy(_row: NewRow<Row>): NamedRun[] {
    return [];
  }

  /** The datasets that a row names, which are there as long as the row is. */
  protected datasetsIn(_row: NewRow<Row>): NamedDataset[] {
    return [];
  }

  /** What else is written in the transaction that creates a row. */
  protected async created(_manager: EntityManager, _draft: Draft<Row>): Promise<void> {}

  /** Pictures in the artifact store that a row names. */
  protected imagesOf(_row: Row): ImageRef[] {
    return [];
  }

  /** @throws ApiError 409 that names what is unfinished and uses the row */
  protected async requireUnused(_manager: EntityManager, _id: string): Promise<void> {}

  /** What else is written in the transaction that ends a row. */
  protected async ended(_manager: EntityManager, _row: Row, _ending: RowEnding): Promise<void> {}

  /** What else is written in the transaction that queues a row again. */
  protected async requeued(_manager: EntityManager, _row: Row): Promise<void> {}

  /** Columns of the kind's own that are set when a row is ended. */
  protected columnsAtEnd(): object {
    return {};
  }

  /** Those that are set when it is queued again. */
  protected columnsOfNextLife(_row: Row): object {
    return {};
  }

  private async endWith(row: Row, ending: RowEnding, columns: object = {}): Promise<boolean> {
    return this.dataSource.transaction(async (manager) => {
      const entity = this.entity as EntityTarget<Submission>;
      if (!(await endRow(manager, entity, row, ending, { ...this.columnsAtEnd(), ...columns }))) return false;
      await this.ended(manager, row, ending);
      return true;
    });
  }

  private query() {
    return this.dataSource.getRepository(this.entity).createQueryBuilder('submission');
  }
}

/** The refusal to delete what has not ended. */
export function notEnded({ id, status }: Pick<Submission, 'id' | 'status'>): Error {
  return conflict(
    'not_ended',
    `${id} is ${status}; it cannot be deleted. Cancel it first, or wait until it has ended.`,
    {
      param: 'id',
    },
  );
}
