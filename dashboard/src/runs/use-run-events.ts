import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { followRun, type RunEvent } from '../api/follow-run.js';

/** As many as are shown: those of a long run are thousands. */
const SHOWN = 200;

/**
 * The last events of a run, newest first. Each one has what is shown of the run asked for anew. A page of another run is
 * another page: whoever uses this has the run's id as its key.
 */
export function useRunEvents(id: string): RunEvent[] {
  const queries = useQueryClient();
  const [events, setEvents] = useState<RunEvent[]>([]);
  useEffect(() => {
    const stop = new AbortController();
    void (async () => {
      for await (const event of followRun(id, stop.signal)) {
        setEvents((known) => [event, ...known].slice(0, SHOWN));
        void queries.invalidateQueries({ queryKey: ['run', id] });
      }
    })();
    return () => stop.abort();
  }, [id, queries]);
  return events;
}
