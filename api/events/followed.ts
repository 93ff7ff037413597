import type { SharedLooks } from './shared-looks.js';
import type { WakeupsService } from './wakeups.service.js';

/** What there is after a sequence. */
export interface Look<Event> {
  events: Event[];
  /** Whether more is there already. */
  isFull?: boolean;
  /** Whether nothing can follow it. */
  isOver?: boolean;
}

/** What is followed, and from where on. */
interface Followed {
  project: string;
  /** As it is told of (WakeupsService). */
  topic: string;
  after: number;
}

/**
 * Every event after a sequence in order, then each new one as it comes, until nothing can follow or `signal` is aborted.
 * Sequences become visible in order, so that looking beyond the last one misses nothing. An empty page is passed on at
 * every look that finds nothing.
 * @param looks shared by all who follow the same kind of thing
 */
export async function* followed<Event extends { sequence: number }>(
  wakeups: WakeupsService,
  looks: SharedLooks<Look<Event>>,
  { project, topic, after }: Followed,
  signal: AbortSignal,
  look: (after: number) => Promise<Look<Event>>,
): AsyncGenerator<Event[], void> {
  let last = after;
  for await (const wake of wakeups.of(topic, signal)) {
    for (let more = true; more && !signal.aborted;) {
      const known = last;
      const { events, isFull, isOver } = await looks.take([project, topic, known, wake], () => look(known));
      last = events.at(-1)?.sequence ?? last;
      yield events;
      if (isOver) return;
      more = isFull === true;
    }
  }
}
