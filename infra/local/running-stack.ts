import type { ProcessIdentity } from './process-identity.js';
import { stackPaths } from './stack-options.js';
import { readStackRecord, type StackUrls } from './stack-record.js';
import { findSupervisor } from './supervision.js';

/** The healthy stack that another process supervises in this data directory, if there is one. */
export function findRunningStack(dataDirectory: string): { supervisor: ProcessIdentity; urls: StackUrls } | undefined {
  const supervisor = findSupervisor(dataDirectory);
  const { urls } = readStackRecord(stackPaths(dataDirectory).record);
  return supervisor && urls ? { supervisor, urls } : undefined;
}
