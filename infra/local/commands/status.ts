import { describeChild, describeUrls } from '../describe.js';
import { findRunningStack } from '../running-stack.js';
import { stackOptionsFromEnvironment, stackPaths } from '../stack-options.js';
import { readStackRecord } from '../stack-record.js';
import { findSupervisor } from '../supervision.js';

/** As in the init scripts of Linux: the program is not running. */
const NOT_RUNNING = 3;

/** Says which processes run, and where they are reached. @returns 0 when the stack is up */
export async function status(): Promise<number> {
  const { dataDirectory } = stackOptionsFromEnvironment();
  const supervisor = findSupervisor(dataDirectory);
  const { children } = readStackRecord(stackPaths(dataDirectory).record, console.log);
  console.log(supervisor ? `supervisor     running, pid ${supervisor.pid}` : 'supervisor     not running');
  for (const [name, child] of Object.entries(children)) {
    console.log(`${name.padEnd(14)} ${describeChild(child)}`);
  }
  const running = findRunningStack(dataDirectory);
  if (!running) return NOT_RUNNING;
  console.log(describeUrls(running.urls));
  return 0;
}
