import { FailureType } from '../../contracts/failures.js';
import type { RunConfig } from '../../contracts/run-config.js';
import { askedInTraining } from '../datasets/asked-in-training.js';
import type { Datasets } from '../datasets/registry.js';
import { nonRetryable } from '../failures/non-retryable.js';

/**
 * Fails with BadConfiguration where the questions that a run is evaluated on are among those that it trains on: its
 * accuracy would tell what it remembers.
 */
export async function refuseKnownQuestions({ dataset, evaluation }: RunConfig, datasets: Datasets): Promise<void> {
  const { name, upload } = evaluation.dataset ?? dataset;
  const [{ training }, { heldOut }] = await Promise.all([
    datasets.named(dataset.name, dataset.upload).listed(),
    datasets.named(name, upload).listed(),
  ]);
  const [known, ...others] = await askedInTraining(training, heldOut);
  if (!known) return;
  throw nonRetryable(
    FailureType.BadConfiguration,
    `The run would be evaluated on ${others.length + 1} of its training questions: they are in "${dataset.name}" and among the ` +
      `held-out questions of "${name}". For example, ${known.training} is ${known.heldOut}. If "${name}" is a benchmark, register ` +
      `the training set with exclude_overlap_with. Else take them out of its files, or evaluate on another dataset.`,
  );
}
