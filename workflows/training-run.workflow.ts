import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  patched,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { runQueries, runUpdates } from '../contracts/messages.js';
import type { TrainingRunInput, TrainingRunResult } from '../contracts/training-run.js';
import { handleUpdates } from './handle-updates.js';
import { recordChanges } from './identity-changes.js';
import * as transitions from './run-transitions.js';
import { TrainingRun } from './training-run.js';

/** Far below the server's 4,096: one more step must fit, whatever its size (I6). */
const EVENTS_PER_EXECUTION = 1500;

/**
 * A training run: step n draws queries, runs their groups on policy n-1, freezes the batch and takes the
 * gradient step that makes policy n. Continues as new only here, between two steps, when no child is open.
 */
export async function trainingRun(input: TrainingRunInput): Promise<TrainingRunResult> {
  const run = new TrainingRun(input);
  handleMessages(run);
  run.show();
  try {
    await run.begin();
    while (transitions.hasNextStep(run.state)) {
      await run.pausePoint();
      if (!transitions.hasNextStep(run.state)) break;
      await run.nextStep();
      if (historyIsLong()) await goOnAsNew(run);
    }
    return await run.complete();
  } catch (error) {
    return CancellationScope.nonCancellable(() => closeAfter(error, run));
  }
}

function historyIsLong(): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return continueAsNewSuggested || historyLength > EVENTS_PER_EXECUTION;
}

/** Messages not yet acted upon travel in the state; the server redelivers one that arrives while this happens. */
async function goOnAsNew(run: TrainingRun): Promise<never> {
  await condition(allHandlersFinished);
  return continueAsNew<typeof trainingRun>({ ...run.input, state: run.state, revived: undefined });
}

async function closeAfter(error: unknown, run: TrainingRun): Promise<TrainingRunResult> {
  if (!isCancellation(error)) return run.ended(error);
  try {
    return await run.cancelled();
  } catch (noCheckpoint) {
    return run.ended(noCheckpoint);
  }
}

/**
 * What each message does. All are idempotent: pausing a paused run or resuming a running one answers with the status it
 * has. A run that is closing refuses, and a closed one does not exist to be asked.
 */
function handleMessages(run: TrainingRun): void {
  setHandler(runQueries.progress, () => ({ ...run.state, phase: run.phase }), runQueries.progress);
  setHandler(runQueries.config, () => run.input.config, runQueries.config);

  const closed = () => (run.closing ? `the run is ${run.state.status} and takes no further messages` : undefined);

  handleUpdates(runUpdates, {
    pause: {
      objection: closed,
      async take({ now } = {}) {
        if (now) await run.hold(true);
        if (run.state.pauseRequested) return run.state.status;
        run.state = transitions.pauseRequested(run.state);
        return run.setStatus('pausing');
      },
    },

    resume: {
      // A failure of the last evaluation or checkpoint pauses a run that is closing: it must be able to go on.
      objection: () => (run.state.status === 'paused' ? undefined : closed()),
      async take(options) {
        const allow = options?.allow ?? [];
        if (allow.length > 0) {
          const changes = await recordChanges(run, allow);
          run.state = transitions.changesAllowed(run.state, changes);
        }
        await run.hold(false);
        if (!run.state.pauseRequested) {
          if (allow.length > 0) await keep(run);
          return run.state.status;
        }
        run.state = transitions.resumeRequested(run.state);
        if (run.state.status === 'pausing') return run.setStatus('running');
        return run.state.status === 'paused' ? 'running' : run.state.status;
      },
    },

    stopAfterStep: {
      objection: closed,
      async take() {
        run.state = transitions.stopRequested(run.state);
        await run.hold(false);
        await keep(run);
        return run.state.status;
      },
    },

    setLearningRate: {
      objection: (rate) => closed() ?? transitions.objectionToRate(rate),
      async take(rate) {
        run.state = transitions.withLearningRate(run.state, rate);
        await keep(run);
        return rate;
      },
    },

    decide: {
      objection: (decision) => closed() ?? transitions.objectionToDecision(run.state, decision),
      take(decision) {
        run.state = transitions.decided(run.state, decision);
        return 'running';
      },
    },

    extend: {
      objection: (steps) => closed() ?? transitions.objectionToSteps(run.state, steps),
      async take(steps) {
        run.state = transitions.extended(run.state, steps);
        await run.setStatus(run.state.status);
        return steps;
      },
    },
  });
}

/** Writes what a message has changed, so that a workflow that goes on after this one is gone keeps to it. */
async function keep(run: TrainingRun): Promise<void> {
  if (patched('messages-are-kept')) await run.setStatus(run.state.status);
}
