import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Decision, RunStatus } from './contracts/agent-activities.js';
import type { FlowStatus } from './contracts/asked-flow.js';
import type { RunConfig } from './contracts/run-config.js';
import type { PauseOptions, ResumeOptions, TrainingRunProgress } from './contracts/training-run.js';

/** Pause at the next step boundary; with `now`, rollouts also stop before their next activity. */
export const pauseUpdate = defineUpdate<RunStatus, [PauseOptions?]>('pause');
/** `allow`: parts of the run's identity that have changed since it began, and with which it goes on from now on. */
export const resumeUpdate = defineUpdate<RunStatus, [ResumeOptions?]>('resume');
/** Of an asked flow that is paused: its budget is granted once more. */
export const resumeFlowUpdate = defineUpdate<FlowStatus, []>('resume');
/** Finish the current step, evaluate, and complete. */
export const stopAfterStepUpdate = defineUpdate<RunStatus, []>('stopAfterStep');
/** The one hyper-parameter that is safe to change: it is frozen with the next batch (I4). */
export const setLearningRateUpdate = defineUpdate<number, [number]>('setLearningRate');
/**
 * What happens to a step whose loss was not finite: leave groups out (those named by the failure where none are given),
 * make no update at all, or try again with another learning rate. It is frozen with the batch; the run goes on.
 */
export const decideUpdate = defineUpdate<RunStatus, [Decision]>('decide');
/** Raise the number of steps of an unfinished run. */
export const extendUpdate = defineUpdate<number, [number]>('extend');

export const progressQuery = defineQuery<TrainingRunProgress>('progress');
export const configQuery = defineQuery<RunConfig>('config');

/** From a run to its groups, and from a group to its flows: true stops them before their next activity. */
export const holdSignal = defineSignal<[boolean]>('hold');
