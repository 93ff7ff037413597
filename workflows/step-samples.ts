import type { RecordedTraining } from '../contracts/training-config.js';
import { isRecorded } from '../contracts/training-parts.js';
import { GroupedSamples } from './grouped-samples.js';
import type { StepContext, StepSamples } from './step-context.js';

/** The samples of a step, from wherever the training of its run takes them. */
export function samplesOf(run: StepContext, step: number): StepSamples {
  const { training } = run.input.config;
  return isRecorded(training) ? recordedSamples(run, training) : new GroupedSamples(run, step, training);
}

/** Recorded turns of another run: there already. */
function recordedSamples(run: StepContext, training: RecordedTraining): StepSamples {
  return {
    collect: () => Promise.resolve({ metrics: {}, draws: 0, seconds: 0 }),
    freeze: (header, learning_rate) =>
      run.activities.freezeRecordedBatch.executeWithOptions({ summary: `step ${header.step}` }, [
        { ...header, training: { ...training, learning_rate } },
      ]),
    hold: () => Promise.resolve(),
  };
}
