import type { DatasetActivities } from '../../workflows/contracts/agent-activities.js';
import { datasetNamed } from './registry.js';

export function createDatasetActivities(): DatasetActivities {
  return {
    drawQueries: async (input) => datasetNamed(input.dataset.name).draw(input),
    evaluationQueries: async (input) => datasetNamed(input.dataset.name).evaluation(input),
  };
}
