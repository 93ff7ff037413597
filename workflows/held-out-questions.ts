import { runCalls } from './calls.js';
import type { EvaluationQueriesInput } from './contracts/agent-activities.js';
import type { Query } from './contracts/flow.js';
import type { RunSettings } from './contracts/training-run.js';

/** Questions of one answer: some are 3 KB long, and no payload is above 256 KB (I6). */
const CHUNK = 50;

/** The held-out questions [offset, offset + count); fewer only where the dataset ends. */
export async function heldOutQuestions(settings: RunSettings, wanted: EvaluationQueriesInput): Promise<Query[]> {
  const { offset, count } = wanted;
  const { evaluationQueries } = runCalls(settings);
  const chunks = Array.from({ length: Math.ceil(count / CHUNK) }, (_, i) =>
    evaluationQueries({ ...wanted, offset: offset + i * CHUNK, count: Math.min(CHUNK, count - i * CHUNK) }),
  );
  return (await Promise.all(chunks)).flat();
}
