import { FailureType } from '../../workflows/contracts/failures.js';
import { nonRetryable } from '../failures/non-retryable.js';
import { atlas } from './atlas/atlas.dataset.js';
import type { Dataset } from './dataset.js';

const DATASETS: readonly Dataset[] = [atlas];

export const DATASET_NAMES: readonly string[] = DATASETS.map((dataset) => dataset.name);

/** Fails with BadConfiguration where no dataset has this name. */
export function datasetNamed(name: string): Dataset {
  const dataset = DATASETS.find((candidate) => candidate.name === name);
  if (!dataset) {
    throw nonRetryable(
      FailureType.BadConfiguration,
      `No dataset is called "${name}". Registered datasets: ${DATASET_NAMES.join(', ')}.`,
    );
  }
  return dataset;
}
