import { isRunning } from './process-identity.js';
import type { StackEvent } from './stack-events.js';
import type { ChildRecord, StackUrls } from './stack-record.js';

/** One line about an event, for the supervisor's log and the terminal. */
export function describeEvent(event: StackEvent): string {
  switch (event.type) {
    case 'starting':
      return `${event.name}: starting`;
    case 'healthy':
      return `${event.name}: up after ${event.seconds.toFixed(1)} s (pid ${event.pid})`;
    case 'exit':
      return `${event.name}: died (pid ${event.pid}, ${endOf(event)})`;
    case 'restart':
      return `${event.name}: restarting in ${event.delayMs / 1000} s`;
    case 'no-log':
      return `${event.name}: runs without a log, because its file cannot be opened: ${event.message}. Its next start tries again.`;
    case 'cannot-start':
      return `${event.name}: cannot start: ${event.message}. It is tried again.`;
    case 'silent':
      return (
        `${event.name}: has not answered for ${event.seconds} s (pid ${event.pid}); ` +
        `it is restarted after ${event.patienceSeconds} s`
      );
    case 'answers':
      return `${event.name}: answers again (pid ${event.pid})`;
    case 'hung':
      return (
        `${event.name}: hung (pid ${event.pid}, no answer for ${event.seconds} s), so it is killed and restarted; ` +
        event.lost
      );
    case 'notice':
      return event.message;
  }
}

/** Why a process is started again, in a few words. */
export function describeEnd(event: Extract<StackEvent, { type: 'exit' | 'hung' }>): string {
  return event.type === 'hung' ? `it had not answered for ${event.seconds} s` : `it had died (${endOf(event)})`;
}

/** How a recorded process is, for `status`. */
export function describeChild(child: ChildRecord): string {
  if (!isRunning(child)) return 'not running';
  const { pid, silentSince, restarts, lastRestart } = child;
  return [
    `running, pid ${pid}`,
    ...(silentSince ? [`has not answered since ${silentSince}`] : []),
    ...(restarts ? [`restarted ${restarts === 1 ? 'once' : `${restarts} times`}`] : []),
    ...(lastRestart ? [`${restarts === 1 ? '' : 'last '}at ${lastRestart.at} because ${lastRestart.why}`] : []),
  ].join(', ');
}

function endOf({ signal, code }: Extract<StackEvent, { type: 'exit' }>): string {
  return signal ?? `exit code ${code}`;
}

/** Where the parts are reached, one per line, without the database's password. */
export function describeUrls(urls: StackUrls): string {
  return [
    `Dashboard    ${urls.api} ("npx agentflow dashboard" prints a link that signs a browser in)`,
    `API          ${urls.api}`,
    `API docs     ${urls.docs}`,
    `Temporal     ${urls.temporal}`,
    ...(urls.temporalUi ? [`Temporal UI  ${urls.temporalUi}`] : []),
  ].join('\n');
}
