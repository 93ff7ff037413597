import { describeUrls } from '../describe.js';
import { isRunning } from '../process-identity.js';
import { stackOptionsFromEnvironment, stackPaths } from '../stack-options.js';
import { readStackRecord } from '../stack-record.js';
import { findSupervisor } from '../supervision.js';

/** As in the init scripts of Linux: the program is not running. */
const NOT_RUNNING = 3;

/** Says which processes run, and where they are reached. @returns 0 when the stack is up */
export function status(): Promise<number> {
  const { dataDirectory } = stackOptionsFromEnvironment();
  const supervisor = findSupervisor(dataDirectory);
  const { children, urls } = readStackRecord(stackPaths(dataDirectory).record);
  console.log(supervisor ? `supervisor     running, pid ${supervisor.pid}` : 'supervisor     not running');
  for (const [name, child] of Object.entries(children)) {
    console.log(`${name.padEnd(14)} ${isRunning(child) ? `running, pid ${child.pid}` : 'not running'}`);
  }
  if (supervisor && urls) console.log(describeUrls(urls));
  return Promise.resolve(supervisor && urls ? 0 : NOT_RUNNING);
}
