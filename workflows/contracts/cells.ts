import type { Cell } from './benchmark-evaluation.js';
import type { EvaluationConfig } from './evaluation-config.js';

/** The cells of an evaluation, in the order in which they are run and shown. */
export function cellsOf({ benchmarks, policies, max_turns, flow }: EvaluationConfig): Cell[] {
  const budgets = max_turns ?? [flow.max_turns];
  return benchmarks
    .flatMap((benchmark) => policies.flatMap((policy) => budgets.map((maxTurns) => ({ benchmark, policy, maxTurns }))))
    .map((cell, index) => ({ index, ...cell }));
}
