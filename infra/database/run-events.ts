import type { EntityManager } from 'typeorm';
import type { RunEventType } from '../../contracts/events.js';
import { RunEvent } from './entities/run-event.entity.js';
import { TrainingRun } from './entities/training-run.entity.js';
import { NoSuchRun } from './removed.js';

/**
 * Appends to a run's event stream inside the caller's transaction. The run's row is locked until that transaction
 * commits, so sequences become visible in ascending order and a reader by sequence misses nothing.
 * An event key that exists already is returned as it stands.
 * @returns the event's sequence, from 1
 * @throws NoSuchRun; an Error if there is no transaction
 */
export async function appendEvent(
  manager: EntityManager,
  runId: string,
  eventKey: string,
  type: RunEventType,
  data: Record<string, unknown>,
): Promise<number> {
  if (!manager.queryRunner?.isTransactionActive) {
    throw new Error(`appendEvent(${runId}, ${eventKey}) needs a transaction: pass the manager of one.`);
  }
  const run = await manager.findOne(TrainingRun, {
    where: { id: runId },
    select: { id: true, eventSequence: true },
    // Whoever has written a row of the run holds a key-share lock on it, and two such writers must not wait for each other.
    lock: { mode: 'for_no_key_update' },
  });
  if (!run) throw new NoSuchRun(runId, `append the event ${eventKey} to`);
  const existing = await manager.findOneBy(RunEvent, { runId, eventKey });
  if (existing) return existing.sequence;
  const sequence = run.eventSequence + 1;
  await manager.insert(RunEvent, { runId, sequence, eventKey, type, data: data as object });
  await manager.update(TrainingRun, { id: runId }, { eventSequence: sequence });
  return sequence;
}
