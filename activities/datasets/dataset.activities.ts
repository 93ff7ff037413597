import type { DatasetActivities } from '../../workflows/contracts/agent-activities.js';
import type { Datasets } from './registry.js';

export function createDatasetActivities(datasets: Datasets): DatasetActivities {
  return {
    drawQueries: async (input) => datasets.named(input.dataset.name).draw(input),
    evaluationQueries: async (input) => datasets.named(input.dataset.name).evaluation(input),
  };
}
