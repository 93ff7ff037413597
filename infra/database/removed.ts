/** The SQLSTATE with which a trigger refuses a row of what was deleted (the migration NothingAfterRemoval). */
const REMOVED = 'RM001';

/** Thrown if something is to be written for a training run that is not there. */
export class NoSuchRun extends Error {
  constructor(id: string, what: string) {
    super(`There is no training run "${id}" to ${what}: it was deleted, or never submitted.`);
  }
}

/** Whether something was not written because what it belongs to was deleted. No retry mends it. */
export function isOfRemoved(error: unknown): error is Error {
  if (error instanceof NoSuchRun) return true;
  return error instanceof Error && (error as { driverError?: { code?: unknown } }).driverError?.code === REMOVED;
}
