import { FailureType } from '../../workflows/contracts/failures.js';
import type { RunConfig } from '../../workflows/contracts/run-config.js';
import { askedInTraining } from '../datasets/asked-in-training.js';
import type { Datasets } from '../datasets/registry.js';
import { nonRetryable } from '../failures/non-retryable.js';

/**
 * Fails with BadConfiguration where the questions that a run is evaluated on are among those that it trains on: its
 * accuracy would tell what it remembers.
 */
export async function refuseKnownQuestions({ dataset, evaluation }: RunConfig, datasets: Datasets): Promise<void> {
  const { name } = evaluation.dataset ?? dataset;
  const [{ training }, { heldOut }] = await Promise.all([
    datasets.named(dataset.name).listed(),
    datasets.named(name).listed(),
  ]);
  const [known, ...others] = askedInTraining(training, heldOut);
  if (!known) return;
  throw nonRetryable(
    FailureType.BadConfiguration,
    `${others.length + 1} training questions of "${dataset.name}" are held-out questions of "${name}", on which the run is ` +
      `evaluated: ${known.training} is ${known.heldOut}, for one. Register the training set with exclude_overlap_with ` +
      `where "${name}" is a benchmark, take them out of its files, or evaluate on another dataset.`,
  );
}
