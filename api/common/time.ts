import { z } from 'zod';

/** A moment in a query. One without an offset is refused: whose time would it be? */
export const moment = z.iso.datetime({
  offset: true,
  error: 'must be a time with its offset, as in 2026-01-31T12:00:00Z or 2026-01-31T13:00:00+01:00',
});
