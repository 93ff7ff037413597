import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { RunStatus } from './contracts/agent-activities.js';
import type { RunConfig } from './contracts/run-config.js';
import type { TrainingRunProgress } from './contracts/training-run.js';

/** Pause at the next step boundary; with `now`, rollouts also stop before their next activity. */
export const pauseUpdate = defineUpdate<RunStatus, [{ now?: boolean }]>('pause');
export const resumeUpdate = defineUpdate<RunStatus, []>('resume');
/** Finish the current step, evaluate, and complete. */
export const stopAfterStepUpdate = defineUpdate<RunStatus, []>('stopAfterStep');
/** The one hyper-parameter that is safe to change: it is frozen with the next batch (I4). */
export const setLearningRateUpdate = defineUpdate<number, [number]>('setLearningRate');
/** Raise the number of steps of an unfinished run. */
export const extendUpdate = defineUpdate<number, [number]>('extend');

export const progressQuery = defineQuery<TrainingRunProgress>('progress');
export const configQuery = defineQuery<RunConfig>('config');

/** From a run to its groups, and from a group to its flows: true stops them before their next activity. */
export const holdSignal = defineSignal<[boolean]>('hold');
