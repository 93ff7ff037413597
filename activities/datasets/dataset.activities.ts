import type { DatasetActivities, DrawQueriesInput, EvaluationQueriesInput } from '../../contracts/agent-activities.js';
import type { Query } from '../../contracts/flow.js';
import type { Datasets } from './registry.js';

export function createDatasetActivities(datasets: Datasets): DatasetActivities {
  const of = ({ dataset: { name, upload } }: DrawQueriesInput | EvaluationQueriesInput) => datasets.named(name, upload);
  return {
    drawQueries: async (input) => withinBytes(await of(input).draw(input), input.bytes),
    evaluationQueries: async (input) => withinBytes(await of(input).evaluation(input), input.bytes),
  };
}

/** The first of the questions, as many as have so many bytes as JSON; one at least. */
export function withinBytes(queries: Query[], bytes = Infinity): Query[] {
  let left = bytes;
  const tooMany = queries.findIndex((query, index) => {
    left -= Buffer.byteLength(JSON.stringify(query)) + 1;
    return left < 0 && index > 0;
  });
  return tooMany < 0 ? queries : queries.slice(0, tooMany);
}
