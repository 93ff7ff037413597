import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FailureType } from '../contracts/failures.js';
import type { Decision } from '../contracts/messages.js';
import { NEXT_STATUSES, type RunStatus, type TrainingRunState } from '../contracts/training-run.js';
import * as transitions from './run-transitions.js';

const statuses = Object.keys(NEXT_STATUSES) as RunStatus[];
const failures = [FailureType.NonFiniteLoss, FailureType.SamplerMismatch, FailureType.BudgetSpent, FailureType.Defect];

const decision: fc.Arbitrary<Decision> = fc.oneof(
  fc.record({ kind: fc.constant('skip-group' as const), groups: fc.option(fc.array(fc.nat(7)), { nil: undefined }) }),
  fc.constant({ kind: 'skip-step' as const }),
  fc.record({ kind: fc.constant('learning-rate' as const), learningRate: fc.double() }),
);

type Event = (state: TrainingRunState) => TrainingRunState;
const unless = (objection: string | undefined, state: TrainingRunState, event: Event) =>
  objection === undefined ? event(state) : state;

const event: fc.Arbitrary<Event> = fc.oneof(
  fc.constant<Event>(transitions.pauseRequested),
  fc.constant<Event>(transitions.resumeRequested),
  fc.constant<Event>(transitions.stopRequested),
  fc.constant<Event>(transitions.wentOn),
  fc.constantFrom(...statuses).map(
    (status): Event =>
      (state) =>
        transitions.entered(state, status),
  ),
  fc.record({ type: fc.constantFrom(...failures), message: fc.string(), groups: fc.array(fc.nat(7)) }).map(
    (failure): Event =>
      (state) =>
        transitions.stoppedBy(state, failure),
  ),
  fc.double().map(
    (steps): Event =>
      (state) =>
        unless(transitions.objectionToSteps(state, steps), state, (open) => transitions.extended(open, steps)),
  ),
  fc.oneof(fc.double(), fc.integer({ min: -1, max: 1_000_001 })).map(
    (steps): Event =>
      (state) =>
        unless(transitions.objectionToSteps(state, steps), state, (open) => transitions.extended(open, steps)),
  ),
  decision.map(
    (made): Event =>
      (state) =>
        unless(transitions.objectionToDecision(state, made), state, (open) => transitions.decided(open, made)),
  ),
  fc.record({ draws: fc.nat(64), checkpointed: fc.boolean() }).map((taken): Event => (state) => {
    const step = state.step + 1;
    return transitions.committed(state, { ...taken, step, policy: { name: `r@${step}`, sha256: '' }, reward: 0.5 });
  }),
);

describe('the state of a training run', () => {
  it('has after each event what came before it, whatever comes in which order', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        let state = transitions.initialState(3);
        for (const happens of events) {
          const before = Object.freeze(structuredClone(state));
          state = happens(before);
          expect(state.steps).toBeGreaterThanOrEqual(before.steps);
          expect(state.draws).toBeGreaterThanOrEqual(before.draws);
          expect([before.statusVersion, before.statusVersion + 1]).toContain(state.statusVersion);
          expect(state.checkpointStep).toBeLessThanOrEqual(state.step);
          expect(state.learningRate ?? 1).toBeGreaterThan(0);
          const { skipGroups = [], revision = 0 } = state.decision ?? {};
          expect(skipGroups).toEqual([...new Set(skipGroups)].sort((a, b) => a - b));
          // A decision is forgotten with its step alone, and each is one more revision of the batch (I4).
          if (state.step === before.step) expect(revision).toBeGreaterThanOrEqual(before.decision?.revision ?? 0);
          else expect(state.decision).toBeUndefined();
          // A stop does not carry a run over a failure that somebody has to look at.
          if (state.pauseRequested && state.failure) expect(transitions.mustPause(state)).toBe(true);
        }
      }),
    );
  });

  it('goes on from a spent budget with the budget once more, and from nothing else', () => {
    fc.assert(
      fc.property(fc.constantFrom(...failures), fc.option(fc.integer({ min: 1, max: 9 })), (type, budgets) => {
        const paused = transitions.stoppedBy(transitions.initialState(1), { type, message: '' });
        const before = budgets ?? 1;
        const { budgets: after = 1 } = transitions.wentOn({ ...paused, budgets: budgets ?? undefined });
        expect(after).toBe(type === FailureType.BudgetSpent ? before + 1 : before);
      }),
    );
  });

  it('moves between statuses as the diagram of docs/runs.md shows', () => {
    const page = readFileSync(new URL('../docs/runs.md', import.meta.url), 'utf8');
    const shown = [...page.matchAll(/^ {2}([a-z]+) --> ([a-z]+):/gm)].map(([, from, to]) => `${from} ${to}`);
    const allowed = statuses.flatMap((from) => NEXT_STATUSES[from].map((to) => `${from} ${to}`));
    expect(shown.sort()).toEqual(allowed.sort());
  });
});
