import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { TrainingRunInput, TrainingRunResult } from './contracts/training-run.js';
import { TrainingRun } from './training-run.js';

/**
 * A training run (design 4): step n draws queries, runs their groups on policy n-1, freezes the batch and takes the
 * gradient step that makes policy n. Continues as new only here, between two steps, when no child is open.
 */
export async function trainingRun(input: TrainingRunInput): Promise<TrainingRunResult> {
  const run = new TrainingRun(input);
  try {
    await run.begin();
    while (run.hasNextStep()) {
      await run.pausePoint();
      if (!run.hasNextStep()) break;
      await run.nextStep();
      if (run.historyIsLong()) await run.continueAsNew();
    }
    return await run.complete();
  } catch (error) {
    return CancellationScope.nonCancellable(() => closeAfter(error, run));
  }
}

async function closeAfter(error: unknown, run: TrainingRun): Promise<TrainingRunResult> {
  if (!isCancellation(error)) return run.ended(error);
  try {
    return await run.cancelled();
  } catch (noCheckpoint) {
    return run.ended(noCheckpoint);
  }
}
