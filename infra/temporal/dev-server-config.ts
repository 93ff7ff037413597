/**
 * Dynamic configuration of Temporal's development server, in the stack and in the tests, as `--dynamic-config-value`
 * takes it. The server's defaults are for many history shards; it has one.
 */
export const DEV_SERVER_CONFIG = [
  // The only shard's queue is read 20 times a second by default: a task then waits 40 ms before anybody sees it.
  'history.transferProcessorMaxPollRPS=1000',
  // An activity goes to the worker that asked for it with the answer to its request, without a queue between them.
  'system.enableActivityEagerExecution=true',
] as const;
