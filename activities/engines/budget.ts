import type { DataSource } from 'typeorm';
import { RunSpending } from '../../infra/database/entities/index.js';
import { FailureType } from '../../workflows/contracts/failures.js';
import type { FlowConfig } from '../../workflows/contracts/flow-config.js';
import type { ModelCall } from '../../workflows/contracts/model-call.js';
import { nonRetryable } from '../failures/non-retryable.js';

export interface Spent {
  calls: number;
  tokens: number;
  money: number;
}

/** What calls cost of a run's budget: providers' calls, not the policy server's and not answers from the cache. */
export function costOf(calls: readonly ModelCall[]): Spent {
  const paid = calls.filter(({ engine, cached }) => engine === 'llm' && !cached);
  return {
    calls: paid.length,
    tokens: paid.reduce((sum, { inputTokens = 0, outputTokens = 0 }) => sum + inputTokens + outputTokens, 0),
    money: paid.reduce((sum, { cost = 0 }) => sum + cost, 0),
  };
}

/**
 * Fails with BudgetSpent where nothing is left for another call. Calls that are open at that moment are still made: a
 * run may pass its budget by what its concurrent calls cost.
 * @param open calls of this activity, which are in no row yet
 */
export async function requireBudget(
  dataSource: DataSource,
  runId: string,
  budget: NonNullable<FlowConfig['budget']>,
  open: readonly ModelCall[],
): Promise<void> {
  const recorded = await dataSource.getRepository(RunSpending).findOneBy({ runId });
  const own = costOf(open);
  for (const unit of ['tokens', 'money', 'calls'] as const) {
    const limit = budget[unit];
    const spent = (recorded?.[unit] ?? 0) + own[unit];
    if (limit === undefined || spent < limit) continue;
    throw nonRetryable(
      FailureType.BudgetSpent,
      `The budget is spent: ${spent} of ${limit} ${unit}. Resuming a run or a question grants the budget once more; ` +
        'an evaluation on benchmarks has to be submitted again with a larger flow.budget.',
    );
  }
}
