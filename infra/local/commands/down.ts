import { stopLeftovers } from '../leftovers.js';
import { waitUntil } from '../process-group.js';
import { isRunning } from '../process-identity.js';
import { stackOptionsFromEnvironment, stackPaths } from '../stack-options.js';
import { readStackRecord, writeStackRecord } from '../stack-record.js';
import { claimSupervision, findSupervisor } from '../supervision.js';

const PATIENCE_MS = 30_000;

/** Stops the stack of the data directory, its supervisor first. @returns the exit code */
export async function down(): Promise<number> {
  const { dataDirectory } = stackOptionsFromEnvironment();
  const supervisor = findSupervisor(dataDirectory);
  if (supervisor) {
    process.kill(supervisor.pid, 'SIGTERM');
    if (!(await waitUntil(() => !isRunning(supervisor), PATIENCE_MS))) process.kill(supervisor.pid, 'SIGKILL');
    await waitUntil(() => !isRunning(supervisor), PATIENCE_MS);
  }
  const left = await clearLeftovers(dataDirectory);
  if (supervisor) console.log(`Stopped the local stack of ${dataDirectory}.`);
  if (left.length > 0) console.log(`Stopped the processes that a killed supervisor left running: ${left.join(', ')}.`);
  if (!supervisor && left.length === 0) console.log(`The local stack of ${dataDirectory} does not run.`);
  return 0;
}

async function clearLeftovers(dataDirectory: string): Promise<string[]> {
  const supervision = claimSupervision(dataDirectory);
  try {
    const { record } = stackPaths(dataDirectory);
    const left = await stopLeftovers(readStackRecord(record, console.log), dataDirectory);
    writeStackRecord(record, { children: {} });
    return left;
  } finally {
    supervision.release();
  }
}
