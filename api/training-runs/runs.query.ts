import { z } from 'zod';
import { registeredName } from '../../contracts/flow-config.js';
import type { TrainingRun } from '../../infra/database/entities/index.js';
import { idPageQuery } from '../common/list.dto.js';
import { moment } from '../common/time.js';
import type { Filter } from '../submissions/submissions.repository.js';
import { RUN_STATUSES } from './dto/training-run.dto.js';

const filters = {
  status: z.enum(RUN_STATUSES).optional(),
  name: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .describe('A part of the name, in capitals or not. It holds no wildcards.'),
  model: registeredName.optional(),
  dataset: registeredName.optional(),
  created_from: moment.optional().describe('Created then or later.'),
  created_before: moment.optional().describe('Created earlier.'),
};

export const runsQuery = idPageQuery.extend(filters);
export type RunsQuery = z.infer<typeof runsQuery>;

/** The condition of each filter, with the filter as its parameter. */
const CONDITIONS: Record<keyof typeof filters, string> = {
  status: 'submission.status = :status',
  name: 'strpos(lower(submission.name), lower(:name)) > 0',
  model: "submission.config ->> 'model' = :model",
  dataset: "submission.config #>> '{dataset,name}' = :dataset",
  created_from: 'submission.created_at >= :created_from',
  created_before: 'submission.created_at < :created_before',
};

export function filterOf(query: RunsQuery): Filter<TrainingRun> {
  return (builder) => {
    for (const [name, condition] of Object.entries(CONDITIONS)) {
      const value = query[name as keyof typeof filters];
      if (value !== undefined) builder.andWhere(condition, { [name]: value });
    }
    return builder;
  };
}
