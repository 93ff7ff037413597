import { setHandler } from '@temporalio/workflow';
import { allow } from './allowance.js';
import type { Decision } from './contracts/agent-activities.js';
import type { PauseOptions, ResumeOptions } from './contracts/training-run.js';
import { FailureType } from './contracts/failures.js';
import { MAX_STEPS } from './contracts/run-limits.js';
import {
  configQuery,
  decideUpdate,
  extendUpdate,
  pauseUpdate,
  progressQuery,
  resumeUpdate,
  setLearningRateUpdate,
  stopAfterStepUpdate,
} from './messages.js';
import { refusal } from './refusal.js';
import type { TrainingRun } from './training-run.js';

/**
 * Every transition that a message can cause. All are idempotent: pausing a paused run or resuming a running one
 * answers with the status it has. A run that is closing refuses, and a closed one does not exist to be asked.
 */
export function handleMessages(run: TrainingRun): void {
  const { state } = run;
  const validator = () => refuseWhenClosing(run);

  setHandler(progressQuery, () => ({ ...state, phase: run.phase }), { description: 'Status, step, policy and phase.' });
  setHandler(configQuery, () => run.input.config, { description: 'The effective configuration.' });

  setHandler(
    pauseUpdate,
    async ({ now } = {}) => {
      if (now) await run.hold(true);
      if (state.pauseRequested) return state.status;
      state.pauseRequested = true;
      await run.setStatus('pausing');
      return 'pausing';
    },
    {
      validator: (_options?: PauseOptions) => validator(),
      description: 'Pause at the next step boundary; with now, rollouts stop before their next activity.',
    },
  );

  setHandler(
    resumeUpdate,
    async (options?: ResumeOptions) => {
      if (options?.allow?.length) await allow(run, options.allow);
      await run.hold(false);
      if (!state.pauseRequested) return state.status;
      state.pauseRequested = false;
      if (state.status === 'pausing') await run.setStatus('running');
      return 'running';
    },
    {
      // A failure of the last evaluation or checkpoint pauses a run that is closing: it must be able to go on.
      validator: (_options?: ResumeOptions) => {
        if (state.status !== 'paused') validator();
      },
      description: 'Go on; after a failure of the closed list, try again. `allow`: parts of the identity that changed.',
    },
  );

  setHandler(
    stopAfterStepUpdate,
    async () => {
      state.stopRequested = true;
      await run.hold(false);
      return state.status;
    },
    { validator, description: 'Finish the current step, evaluate, and complete.' },
  );

  setHandler(setLearningRateUpdate, (rate) => (state.learningRate = rate), {
    validator: (rate: number) => {
      validator();
      refuseLearningRate(rate);
    },
    description: 'Change the learning rate from the next step on; it is frozen with the batch.',
  });

  setHandler(
    decideUpdate,
    (decision) => {
      if (decision.kind === 'learning-rate') state.learningRate = decision.learningRate;
      run.decide({
        skipGroups: decision.kind === 'skip-group' ? (decision.groups ?? state.failure?.groups) : [],
        skipStep: decision.kind === 'skip-step',
      });
      state.pauseRequested = false;
      return 'running' as const;
    },
    {
      validator: (decision: Decision) => {
        validator();
        refuseDecision(run, decision);
      },
      description:
        'Decide about a step whose loss was not finite: skip groups, skip the step, or another learning rate.',
    },
  );

  const extend = async (steps: number) => {
    state.steps = steps;
    await run.setStatus(state.status);
    return steps;
  };
  setHandler(extendUpdate, extend, {
    validator: (steps) => {
      validator();
      if (!Number.isInteger(steps) || steps < state.steps || steps > MAX_STEPS) {
        const change = `from ${state.steps} to ${steps}`;
        throw refusal(`cannot change the number of steps ${change}: it can only grow, to ${MAX_STEPS} at most`);
      }
    },
    description: 'Raise the number of steps.',
  });
}

function refuseWhenClosing(run: TrainingRun): void {
  if (run.closing) throw refusal(`the run is ${run.state.status} and takes no further messages`);
}

function refuseDecision({ state }: TrainingRun, decision: Decision): void {
  if (state.failure?.type !== FailureType.NonFiniteLoss) {
    throw refusal('there is nothing to decide: the run is not paused by a loss that is not finite');
  }
  if (decision.kind === 'learning-rate') return refuseLearningRate(decision.learningRate);
  if (decision.kind === 'skip-group' && !(decision.groups ?? state.failure.groups)?.length) {
    throw refusal('skip-group needs the groups to leave out: the failure names none');
  }
}

function refuseLearningRate(rate: number): void {
  if (!(Number.isFinite(rate) && rate > 0)) throw refusal(`learning rate ${rate} is not a positive number`);
}
