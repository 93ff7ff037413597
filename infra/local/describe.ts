import type { StackEvent } from './local-stack.js';
import type { StackUrls } from './stack-record.js';

/** One line about an event, for the supervisor's log and the terminal. */
export function describeEvent(event: StackEvent): string {
  switch (event.type) {
    case 'starting':
      return `${event.name}: starting`;
    case 'healthy':
      return `${event.name}: up after ${event.seconds.toFixed(1)} s (pid ${event.pid})`;
    case 'exit':
      return `${event.name}: died (pid ${event.pid}, ${event.signal ?? `exit code ${event.code}`})`;
    case 'restart':
      return `${event.name}: restarting in ${event.delayMs / 1000} s`;
    case 'notice':
      return event.message;
  }
}

/** Where the parts are reached, one per line, without the database's password. */
export function describeUrls(urls: StackUrls): string {
  return [
    `API          ${urls.api}`,
    `API docs     ${urls.docs}`,
    `Temporal     ${urls.temporal}`,
    ...(urls.temporalUi ? [`Temporal UI  ${urls.temporalUi}`] : []),
  ].join('\n');
}
