import { readFileSync } from 'node:fs';
import { STACK_VARIABLE } from '../../infra/processes/bound-child.js';
import { allPids } from '../../infra/local/process-identity.js';
import type { SupervisedStack } from './supervised-stack.js';

/** Counts from now on how many processes of the stack run a program at the same time, recorded or not. */
export function mostAtOnce(stack: SupervisedStack, program: string): { stop(): number } {
  const mark = `${STACK_VARIABLE}=${stack.environment()['AGENTFLOW_DATA']}\0`;
  const runsIt = (pid: number) => read(pid, 'cmdline').includes(program) && read(pid, 'environ').includes(mark);
  let most = 0;
  const count = () => (most = Math.max(most, allPids().filter(runsIt).length));
  count();
  const timer = setInterval(count, 100);
  timer.unref(); // of a test that fails before it stops this
  return {
    stop: () => {
      clearInterval(timer);
      return most;
    },
  };
}

/** Nothing of a process that is gone. */
function read(pid: number, file: 'cmdline' | 'environ'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
