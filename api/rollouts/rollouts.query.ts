import { z } from 'zod';
import { EXCLUDED_OUTCOMES, SCORED_OUTCOMES } from '../../contracts/flow.js';
import { idPageQuery, MAX_INDEX } from '../common/list.dto.js';

const index = z.coerce.number().int().min(0).max(MAX_INDEX);

export const rolloutsQuery = idPageQuery.extend({
  run_id: z.string().min(1).max(512),
  purpose: z.enum(['train', 'evaluation']).optional(),
  step: index.optional(),
  group: index.optional(),
  outcome: z.enum([...SCORED_OUTCOMES, ...EXCLUDED_OUTCOMES]).optional(),
});
export type RolloutsQuery = z.infer<typeof rolloutsQuery>;
