import type { QueryDefinition, SignalDefinition, UpdateDefinition } from '@temporalio/common';
import type { ChangeablePart } from './identity.js';
import type { RunConfig } from './run-config.js';
import type { RunStatus, TrainingRunState } from './training-run.js';

/*
 * What can be said to a workflow and asked of it. The workflow handles these definitions and the API sends them, so
 * that name, arguments and answer of each are written once. For example:
 * `client.workflow.getHandle(id).executeUpdate(runUpdates.extend, { args: [9] })`
 */

export interface PauseOptions {
  now?: boolean;
}

export interface ResumeOptions {
  allow?: ChangeablePart[];
}

/** How a person decides about a step whose loss was not finite. */
export type Decision =
  { kind: 'skip-group'; groups?: number[] } | { kind: 'skip-step' } | { kind: 'learning-rate'; learningRate: number };

export interface TrainingRunProgress extends TrainingRunState {
  phase: string;
  /** Of a run that has not begun because it waits for others of its project, which the API answers for. */
  queuePosition?: number;
}

/** Updates of a training run, in the order in which their handlers are set: histories rely on it. */
export const runUpdates = {
  pause: update<RunStatus, [PauseOptions?]>(
    'pause',
    'Pause at the next step boundary; with now, rollouts stop before their next activity.',
  ),
  resume: update<RunStatus, [ResumeOptions?]>(
    'resume',
    'Go on; after a failure of the closed list, try again. `allow`: parts of the identity that changed.',
  ),
  stopAfterStep: update<RunStatus, []>('stopAfterStep', 'Finish the current step, evaluate, and complete.'),
  /** The one hyper-parameter that is safe to change (I4). */
  setLearningRate: update<number, [rate: number]>(
    'setLearningRate',
    'Change the learning rate from the next step on; it is frozen with the batch.',
  ),
  /** Frozen with the batch; the run goes on. Without groups, those that the failure names are left out. */
  decide: update<RunStatus, [Decision]>(
    'decide',
    'Decide about a step whose loss was not finite: skip groups, skip the step, or another learning rate.',
  ),
  extend: update<number, [steps: number]>('extend', 'Raise the number of steps.'),
};

export const runQueries = {
  progress: query<TrainingRunProgress>('progress', 'Status, step, policy and phase.'),
  config: query<RunConfig>('config', 'The effective configuration.'),
};

/** A trainer tells an export that it begins to make it (`BEGUN` in flow_grpo/trainer/exports.py); it may tell it again. */
export const exportBegun = { type: 'signal', name: 'exportBegun' } as SignalDefinition;

/** Of an asked flow or an evaluation on benchmarks. */
export const workUpdates = {
  resume: update<'running', []>(
    'resume',
    'Go on after a pause: the call that failed is made again; a budget that was spent is granted once more.',
  ),
};

/** From a run to its groups and held-out evaluations, and from these to their flows: true stops, false lets go on. */
export const holdSignal = { type: 'signal', name: 'hold' } as SignalDefinition<[held: boolean]>;

/** A message with the description that the Temporal UI shows. */
type Described<Definition> = Definition & { description: string };

// What a definition takes and answers is in its type only: Temporal's brands are not there at run time.

function update<Answer, Args extends unknown[]>(name: string, description: string) {
  return { type: 'update', name, description } as Described<UpdateDefinition<Answer, Args>>;
}

function query<Answer>(name: string, description: string) {
  return { type: 'query', name, description } as Described<QueryDefinition<Answer>>;
}
