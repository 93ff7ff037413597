import type { PolicyRef } from '../contracts/artifacts.js';
import { FailureType, type RunFailure } from '../contracts/failures.js';
import type { Decision } from '../contracts/messages.js';
import { MAX_STEPS } from '../contracts/run-limits.js';
import type { RunStatus, TrainingRunState } from '../contracts/training-run.js';

/*
 * What each event makes of a training run's state, and which messages the state objects to. Pure functions: the
 * workflow decides when they apply. Which status may follow which is NEXT_STATUSES (contracts/training-run.ts).
 */

type State = Readonly<TrainingRunState>;

export function initialState(steps: number): TrainingRunState {
  return {
    step: 0,
    status: 'queued',
    statusVersion: 0,
    steps,
    identity: {},
    draws: 0,
    checkpointStep: 0,
    pauseRequested: false,
    stopRequested: false,
  };
}

export function hasNextStep({ step, steps, stopRequested }: State): boolean {
  return step < steps && !stopRequested;
}

/** A run that is to stop does not pause, except for a failure: somebody has to look at that. */
export function mustPause({ pauseRequested, stopRequested, failure }: State): boolean {
  return pauseRequested && (!stopRequested || failure !== undefined);
}

/** Each status that a run enters has a new version, also a status that it had before. */
export function entered(state: State, status: RunStatus): TrainingRunState {
  return { ...state, status, statusVersion: state.statusVersion + 1 };
}

export function pauseRequested(state: State): TrainingRunState {
  return { ...state, pauseRequested: true };
}

/** A failure that somebody has to look at: the run pauses. */
export function stoppedBy(state: State, failure: RunFailure): TrainingRunState {
  return { ...state, failure, pauseRequested: true };
}

/** A message takes the pause back; what the run pauses for is forgotten when it goes on. */
export function resumeRequested(state: State): TrainingRunState {
  return { ...state, pauseRequested: false };
}

/** The end of a pause. After a spent budget, the budget is granted once more. */
export function wentOn(state: State): TrainingRunState {
  const spent = state.failure?.type === FailureType.BudgetSpent;
  const budgets = spent ? (state.budgets ?? 1) + 1 : state.budgets;
  return { ...state, pauseRequested: false, budgets, failure: undefined };
}

export function stopRequested(state: State): TrainingRunState {
  return { ...state, stopRequested: true };
}

export function withLearningRate(state: State, learningRate: number): TrainingRunState {
  return { ...state, learningRate };
}

export function extended(state: State, steps: number): TrainingRunState {
  return { ...state, steps };
}

/** Adds to what was decided about the step before, as a new revision of its batch (I4), and takes the pause back. */
export function decided(state: State, decision: Decision): TrainingRunState {
  const before = state.decision;
  const groups = decision.kind === 'skip-group' ? (decision.groups ?? state.failure?.groups ?? []) : [];
  return {
    ...state,
    ...(decision.kind === 'learning-rate' && { learningRate: decision.learningRate }),
    decision: {
      revision: (before?.revision ?? 0) + 1,
      skipGroups: [...new Set([...(before?.skipGroups ?? []), ...groups])].sort((a, b) => a - b),
      skipStep: decision.kind === 'skip-step',
    },
    pauseRequested: false,
  };
}

/** From now on the run's calls must agree in what these parts of the identity are now. */
export function changesAllowed(state: State, parts: Record<string, string>): TrainingRunState {
  return { ...state, allowed: { ...state.allowed, ...parts } };
}

export function identified(state: State, identity: Record<string, string>): TrainingRunState {
  return { ...state, identity };
}

/** @param reference the policy that the KL term compares with */
export function referring(state: State, reference: PolicyRef): TrainingRunState {
  return { ...state, reference };
}

export function initialised(state: State, policy: PolicyRef): TrainingRunState {
  return { ...state, policy };
}

/** The trainer worker that holds the state of the last step; undefined if none does. */
export function heldBy(state: State, trainerQueue: string | undefined): TrainingRunState {
  return { ...state, trainerQueue };
}

/** What a step that was taken tells its run. */
export interface Committed {
  step: number;
  policy: PolicyRef;
  reward: number;
  /** Queries drawn for it. */
  draws: number;
  /** Whether it wrote a checkpoint. */
  checkpointed: boolean;
}

export function committed(state: State, { step, policy, reward, draws, checkpointed }: Committed): TrainingRunState {
  return {
    ...state,
    step,
    policy,
    decision: undefined,
    lastReward: reward,
    draws: state.draws + draws,
    checkpointStep: checkpointed ? step : state.checkpointStep,
  };
}

export function evaluated(state: State, accuracy: number): TrainingRunState {
  return { ...state, evaluatedStep: state.step, lastAccuracy: accuracy };
}

export function checkpointed(state: State): TrainingRunState {
  return { ...state, checkpointStep: state.step };
}

/** A failure that nothing can mend. */
export function endedBy(state: State, failure: RunFailure): TrainingRunState {
  return { ...state, failure };
}

/** Why a run does not take this rate; undefined if it does. */
export function objectionToRate(rate: number): string | undefined {
  return Number.isFinite(rate) && rate > 0 ? undefined : `learning rate ${rate} is not a positive number`;
}

export function objectionToSteps(state: State, steps: number): string | undefined {
  if (Number.isInteger(steps) && steps >= state.steps && steps <= MAX_STEPS) return undefined;
  const change = `from ${state.steps} to ${steps}`;
  return `cannot change the number of steps ${change}: it can only grow, to ${MAX_STEPS} at most`;
}

export function objectionToDecision({ failure }: State, decision: Decision): string | undefined {
  // A batch that another policy sampled stays what it is: its step can be taken once the limit is raised, or skipped.
  if (failure?.type === FailureType.SamplerMismatch && decision.kind === 'skip-step') return undefined;
  if (failure?.type !== FailureType.NonFiniteLoss) {
    return 'there is nothing to decide: the run is not paused by a loss that is not finite';
  }
  if (decision.kind === 'learning-rate') return objectionToRate(decision.learningRate);
  if (decision.kind === 'skip-group' && !(decision.groups ?? failure.groups)?.length) {
    return 'skip-group needs the groups to leave out: the failure names none';
  }
  return undefined;
}
