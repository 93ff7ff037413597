import type { DataSource, EntityManager } from 'typeorm';
import { Worker, type WorkerKind } from './entities/worker.entity.js';
import { appendEvent } from './run-events.js';

/** How often a worker says that it is there; flow_grpo/trainer/presence.py has the same. */
export const SEEN_EVERY_MS = 5_000;
/** How long a worker is silent when it counts as lost. */
export const LOST_AFTER_MS = 30_000;

const LOST = `DELETE FROM workers WHERE seen_at < now() - $1 * interval '1 ms'
  RETURNING id, kind, identity, seen_at, extract(epoch FROM now() - seen_at)::float8 AS silent_s`;
/** In one order, so that two who tell do not wait for each other. */
const RUNS_UNDER_WAY = `SELECT id FROM training_runs
  WHERE finished_at IS NULL AND status IN ('running', 'pausing', 'cancelling') ORDER BY id`;

interface LostWorker {
  id: string;
  kind: WorkerKind;
  identity: string;
  seen_at: Date;
  silent_s: number;
}

/** Writes that a worker is there. One that counted as lost and goes on is there again. */
export async function workerSeen(
  dataSource: DataSource,
  { id, kind, identity }: Pick<Worker, 'id' | 'kind' | 'identity'>,
): Promise<void> {
  await dataSource.query(
    `INSERT INTO workers (id, kind, identity) VALUES ($1, $2, $3)
      ON CONFLICT (id) DO UPDATE SET seen_at = now()`,
    [id, kind, identity],
  );
}

/** A worker ends in order: nobody misses it. */
export async function workerEnds(dataSource: DataSource, id: string): Promise<void> {
  await dataSource.getRepository(Worker).delete({ id });
}

/**
 * Tells every training run that is under way of each worker that has fallen silent, once: the worker's row goes with the
 * telling, in one transaction.
 * @returns who is lost
 */
export async function tellOfLostWorkers(dataSource: DataSource): Promise<string[]> {
  return dataSource.transaction(async (manager) => {
    // TypeORM gives what a DELETE returns together with its count.
    const [lost] = await manager.query<[LostWorker[], number]>(LOST, [LOST_AFTER_MS]);
    if (lost.length > 0) await tellRuns(manager, lost);
    return lost.map(({ id }) => id);
  });
}

async function tellRuns(manager: EntityManager, lost: readonly LostWorker[]): Promise<void> {
  for (const { id: runId } of await manager.query<{ id: string }[]>(RUNS_UNDER_WAY)) {
    for (const { id, kind, identity, seen_at: seenAt, silent_s: silent } of lost) {
      await appendEvent(manager, runId, `worker/${id}/${seenAt.toISOString()}`, 'worker.lost', {
        worker: id,
        kind,
        identity,
        last_seen_at: seenAt.toISOString(),
        seconds_silent: silent,
      });
    }
  }
}
