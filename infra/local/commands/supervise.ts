import { LocalStack } from '../local-stack.js';
import { describeEvent, describeUrls } from '../describe.js';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs the stack until a signal comes. @returns the exit code */
export async function supervise(): Promise<number> {
  const stop = new AbortController();
  for (const signal of STOP_SIGNALS) process.on(signal, () => stop.abort());
  const stopped = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()));
  try {
    const stack = await LocalStack.start(
      {},
      { onEvent: (event) => console.log(describeEvent(event)), signal: stop.signal },
    );
    console.log(describeUrls(stack.urls));
    await stopped;
    console.log('Stopping ...');
    await stack.stop();
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
  console.log('Stopped.');
  return 0;
}
