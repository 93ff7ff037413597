import type { DatasetActivities } from '../../contracts/agent-activities.js';
import type { Query } from '../../contracts/flow.js';
import type { Datasets } from './registry.js';

export function createDatasetActivities(datasets: Datasets): DatasetActivities {
  return {
    drawQueries: async (input) => withinBytes(await datasets.named(input.dataset.name).draw(input), input.bytes),
    evaluationQueries: async (input) =>
      withinBytes(await datasets.named(input.dataset.name).evaluation(input), input.bytes),
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
