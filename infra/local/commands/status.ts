import { describeChild, describeUrls } from '../describe.js';
import { findRunningStack } from '../running-stack.js';
import { isRunning, type ProcessIdentity } from '../process-identity.js';
import { stackOptionsFromEnvironment, stackPaths } from '../stack-options.js';
import { readStackRecord, type ChildRecord, type StackUrls } from '../stack-record.js';
import { findSupervisor } from '../supervision.js';

/** As in the init scripts of Linux: the program is not running. */
const NOT_RUNNING = 3;

/**
 * Says which processes run, and where they are reached.
 * @param json for programs
 * @returns 0 when the stack is up
 */
export async function status(json = false): Promise<number> {
  const { dataDirectory } = stackOptionsFromEnvironment();
  const supervisor = findSupervisor(dataDirectory);
  const { children } = readStackRecord(stackPaths(dataDirectory).record, json ? console.error : console.log);
  const running = findRunningStack(dataDirectory);
  if (json) {
    console.log(JSON.stringify(asJson(dataDirectory, supervisor, children, running?.urls), null, 2));
    return running ? 0 : NOT_RUNNING;
  }
  console.log(supervisor ? `supervisor     running, pid ${supervisor.pid}` : 'supervisor     not running');
  for (const [name, child] of Object.entries(children)) {
    console.log(`${name.padEnd(14)} ${describeChild(child)}`);
  }
  if (!running) return NOT_RUNNING;
  console.log(describeUrls(running.urls));
  return 0;
}

/** Without the address of the database, which holds its password. */
function asJson(
  dataDirectory: string,
  supervisor: ProcessIdentity | undefined,
  children: Record<string, ChildRecord>,
  urls: StackUrls | undefined,
): object {
  return {
    data_directory: dataDirectory,
    running: urls !== undefined,
    supervisor: supervisor ? { pid: supervisor.pid } : null,
    processes: Object.entries(children).map(([name, child]) => ({
      name,
      pid: child.pid,
      running: isRunning(child),
      silent_since: child.silentSince ?? null,
      restarts: child.restarts ?? 0,
      last_restart: child.lastRestart ?? null,
    })),
    urls: urls ? { ...urls, database: undefined } : null,
  };
}
