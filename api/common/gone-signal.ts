import type { Response } from 'express';

/** Aborted when nobody waits for the answer any more: it is sent, or its reader has left. */
export function goneSignal(response: Response): AbortSignal {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  return gone.signal;
}
