import { randomUUID } from 'node:crypto';
import type { EntityManager, EntityTarget } from 'typeorm';
import { WORKFLOW_LOST, type RunFailure } from '../../contracts/failures.js';
import type { RowWriter } from '../../contracts/row-writer.js';
import { mayFollow, NEXT_STATUSES } from '../../contracts/training-run.js';
import type { Submission } from './entities/submission.entity.js';

/** How a row ends that its workflow cannot end. */
export interface RowEnding {
  status: 'failed' | 'cancelled';
  /** Null if the workflow was never started. */
  failure: RunFailure | null;
}

/** What a workflow says of the row that it works on. */
export interface WrittenStatus {
  id: string;
  /** Ascending: an older version never overwrites a newer one. */
  version: number;
  status: string;
  failure?: RunFailure;
  writer?: RowWriter;
}

/** Which status may follow which. */
export type NextStatuses = Readonly<Record<string, readonly string[]>>;

/** Thrown if a workflow writes a row that another works on. No retry mends it. */
export class NotItsWorkflow extends Error {
  constructor(id: string, { execution }: RowWriter) {
    super(
      `The workflow that began with the execution ${execution} is not the one that the API started for ${id}, or not ` +
        'the last. It writes nothing of it: only the API starts workflows.',
    );
  }
}

/** What the API starts a row's workflow with: a new one for each time that the row is queued. */
export function newStartToken(): string {
  return randomUUID();
}

/** Statuses of what will never do anything again, unless somebody revives it. */
export const ENDED: readonly string[] = Object.entries(NEXT_STATUSES)
  .filter(([, next]) => next.length === 0)
  .map(([status]) => status);

export function isEnded({ status }: Pick<Submission, 'status'>): boolean {
  return ENDED.includes(status);
}

/**
 * Writes how a row stands, if its own workflow says so, and the status may follow the one that the row has: both are
 * compared in the statement that writes. A version that is not newer than the stored one changes nothing, so a retried
 * or late writer never takes a row back; nor does a status that may not follow. A row that was ended because its
 * workflow seemed gone takes any status: the workflow is there after all.
 * @param columns of the kind's own to set besides, and parameters of their expressions
 * @returns whether the status was written
 * @throws NotItsWorkflow
 */
export async function writeStatus<Row extends Submission>(
  manager: EntityManager,
  entity: EntityTarget<Row>,
  next: NextStatuses,
  { id, version, status, failure, writer }: WrittenStatus,
  columns: object = {},
  parameters: Record<string, unknown> = {},
): Promise<boolean> {
  const written = manager
    .createQueryBuilder()
    .update(entity as EntityTarget<Submission>)
    .set({
      ...columns,
      status,
      statusVersion: version,
      failure: failure ?? null,
      ...(status === 'running' && { startedAt: () => 'COALESCE(started_at, now())' }),
      finishedAt: ENDED.includes(status) ? () => 'now()' : null,
      ...(writer && { workflow: writer.execution }),
    })
    .where('id = :id AND status_version < :version', { id, version })
    .andWhere("(status = ANY(:before) OR failure ->> 'type' = :lost)", {
      before: Object.keys(next).filter((before) => mayFollow(next, before, status)),
      lost: WORKFLOW_LOST,
    })
    .setParameters(parameters);
  if (writer) written.andWhere('(workflow IS NULL OR workflow = ANY(:names))', { names: namesOf(writer) });
  if ((await written.execute()).affected === 1) return true;
  if (writer) await requireOwnRow(manager, entity, id, writer);
  return false;
}

/** The names by which a row may know a workflow. */
function namesOf({ token, execution }: RowWriter): string[] {
  return token === null ? [execution] : [token, execution];
}

async function requireOwnRow(
  manager: EntityManager,
  entity: EntityTarget<Submission>,
  id: string,
  writer: RowWriter,
): Promise<void> {
  const row = await manager.findOne(entity, { where: { id }, select: { id: true, workflow: true } });
  const known = row?.workflow ?? null;
  if (known !== null && !namesOf(writer).includes(known)) throw new NotItsWorkflow(id, writer);
}

/**
 * Ends a row in the place of its workflow, which is gone, but only if the row is as it was seen: a workflow that has
 * written meanwhile is not overruled. The version stays: a workflow that lives after all takes its row back with its
 * next status.
 * @param columns of the kind's own to set besides
 * @returns whether the row was ended
 */
export async function endRow(
  manager: EntityManager,
  entity: EntityTarget<Submission>,
  { id, statusVersion }: Pick<Submission, 'id' | 'statusVersion'>,
  { status, failure }: RowEnding,
  columns: object = {},
): Promise<boolean> {
  const ended = await manager
    .createQueryBuilder()
    .update(entity)
    .set({ ...columns, status, failure, finishedAt: () => 'now()' })
    .where('id = :id AND status_version = :statusVersion AND status <> ALL(:ended)', {
      id,
      statusVersion,
      ended: ENDED,
    })
    .execute();
  return ended.affected === 1;
}

/**
 * Puts a row whose workflow is gone back in the queue, for a new workflow to go on with it, but only if the row is as
 * it was seen: if two callers revive it at once, one of them does it.
 * @param columns of the kind's own to set besides
 * @returns whether this call did it
 */
export async function requeueRow(
  manager: EntityManager,
  entity: EntityTarget<Submission>,
  { id, status, statusVersion }: Pick<Submission, 'id' | 'status' | 'statusVersion'>,
  columns: object = {},
): Promise<boolean> {
  const queued = await manager
    .createQueryBuilder()
    .update(entity)
    .set({
      ...columns,
      status: 'queued',
      statusVersion: () => 'status_version + 1',
      workflow: newStartToken(),
      failure: null,
      finishedAt: null,
    })
    .where('id = :id AND status = :status AND status_version = :statusVersion', { id, status, statusVersion })
    .andWhere("status <> 'completed'")
    .execute();
  return queued.affected === 1;
}
