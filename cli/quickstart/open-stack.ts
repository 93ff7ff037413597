import { describeEvent } from '../../infra/local/describe.js';
import { renewLocalKey } from '../../infra/local/local-key.js';
import { LocalStack } from '../../infra/local/local-stack.js';
import { findRunningStack } from '../../infra/local/running-stack.js';
import { stackOptionsFromEnvironment } from '../../infra/local/stack-options.js';
import type { StackUrls } from '../../infra/local/stack-record.js';
import { CliError } from '../cli-error.js';
import { ApiClient } from '../client/api-client.js';
import { locateApi } from '../client/locate-api.js';
import { runStack, STACK } from '../run-stack.js';

export interface OpenStack {
  urls: StackUrls;
  client: ApiClient;
  /** Stops the stack if it was started here in the foreground; else leaves it as it was found. */
  close(): Promise<void>;
}

interface Options {
  say: (line: string) => void;
  signal: AbortSignal;
  /** Start it in the background. */
  detach: boolean;
}

/** The stack that runs already in the data directory, else a new one. */
export async function openStack({ say, signal, detach }: Options): Promise<OpenStack> {
  const { dataDirectory } = stackOptionsFromEnvironment();
  if (detach) await startInBackground();
  const running = findRunningStack(dataDirectory);
  if (running) {
    say(`Using the local stack that runs already (supervisor: process ${running.supervisor.pid}).`);
    await renewLocalKey(dataDirectory, running.urls);
    return { urls: running.urls, client: new ApiClient(await locateApi()), close: () => Promise.resolve() };
  }
  const stack = await LocalStack.start({}, { onEvent: (event) => say(describeEvent(event)), signal });
  return { urls: stack.urls, client: new ApiClient(await locateApi()), close: () => stack.stop() };
}

async function startInBackground(): Promise<void> {
  if ((await runStack(STACK, 'up')) !== 0) throw new CliError('The local stack did not start; its log is above.');
}
