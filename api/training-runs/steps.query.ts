import type { z } from 'zod';
import { index, numberPageQuery } from '../common/list.dto.js';

export const stepsQuery = numberPageQuery.extend({ step: index.optional().describe('Of this step alone.') });
export type StepsQuery = z.infer<typeof stepsQuery>;
