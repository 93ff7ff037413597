import type { AgentFlowResult, Query } from '../contracts/flow.js';
import type { EvaluationInput, EvaluationSummary, EvaluationTally } from '../contracts/training-run.js';
import { wilson } from '../contracts/wilson.js';
import { isScored } from './outcomes.js';

export const emptyTally = (): EvaluationTally => ({ asked: 0, failed: 0, turns: 0, byFamily: {}, toolMix: {} });

/** Adds one flow. Every question asked is in the denominator: an excluded flow counts as wrong. */
export function tallyFlow(tally: EvaluationTally, query: Query, result: AgentFlowResult): void {
  const family = (tally.byFamily[query.family] ??= { questions: 0, correct: 0 });
  tally.asked += 1;
  family.questions += 1;
  if (result.reward === 1) family.correct += 1;
  if (!isScored(result)) tally.failed += 1;
  tally.turns += result.turns;
  for (const tool of result.tools) tally.toolMix[tool] = (tally.toolMix[tool] ?? 0) + 1;
}

export function summarise(input: EvaluationInput, tally: EvaluationTally, id: string): EvaluationSummary {
  const families = Object.entries(tally.byFamily);
  const correct = families.reduce((sum, [, family]) => sum + family.correct, 0);
  return {
    id,
    runId: input.runId,
    step: input.step,
    planner: input.planner,
    policy: input.policy,
    questions: tally.asked,
    correct,
    failed: tally.failed,
    accuracy: ratio(correct, tally.asked),
    interval: wilson(correct, tally.asked),
    byFamily: Object.fromEntries(
      families.map(([name, f]) => [name, { ...f, accuracy: ratio(f.correct, f.questions) }]),
    ),
    meanTurns: ratio(tally.turns, tally.asked),
    toolMix: tally.toolMix,
  };
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
