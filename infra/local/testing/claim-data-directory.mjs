// Claims data directories on command, for tests of many processes at once. Needs the compiled project.
// Reads lines `claim <directory>` and `release`; answers each with `held`, `refused`, `released` or an error's message.
import { createInterface } from 'node:readline';
import { claimSupervision, StackRunning } from '../../../dist/infra/local/supervision.js';

let supervision;

function claim(directory) {
  try {
    supervision = claimSupervision(directory);
    return 'held';
  } catch (error) {
    return error instanceof StackRunning ? 'refused' : error.message;
  }
}

function release() {
  supervision?.release();
  supervision = undefined;
  return 'released';
}

console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [command, directory] = line.split(' ');
  console.log(command === 'claim' ? claim(directory) : release());
}
