import { isSame, type ProcessIdentity } from './process-identity.js';
import { stackPaths } from './stack-options.js';
import { readStackRecord, type StackUrls } from './stack-record.js';
import { findSupervisor } from './supervision.js';

/**
 * The healthy stack that another process supervises in this data directory, if there is one. The supervisor that holds
 * the lock has written the addresses itself: those that a killed one left are nobody's.
 */
export function findRunningStack(dataDirectory: string): { supervisor: ProcessIdentity; urls: StackUrls } | undefined {
  const supervisor = findSupervisor(dataDirectory);
  const { supervisor: author, urls } = readStackRecord(stackPaths(dataDirectory).record);
  return supervisor && author && urls && isSame(author, supervisor) ? { supervisor, urls } : undefined;
}
