import type { DatasetCheckInput } from '../contracts/uploaded-dataset.js';
import { runCalls } from './calls.js';

/** Reads an uploaded dataset. What came of it is in the dataset's row. */
export async function datasetCheck({ id, settings }: DatasetCheckInput): Promise<void> {
  await runCalls(settings).checkUpload({ id });
}
