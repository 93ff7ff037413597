import type { DataSource, EntityManager } from 'typeorm';
import { Spending } from '../../infra/database/entities/index.js';
import { FailureType } from '../../contracts/failures.js';
import type { FlowConfig } from '../../contracts/flow-config.js';
import { nonRetryable } from '../failures/non-retryable.js';
import type { ReplyCost } from './llm/language-model.js';

export type Budget = NonNullable<FlowConfig['budget']>;

const UNITS = ['tokens', 'money', 'calls'] as const;

/** One more call, if something is left of every unit. */
const BEGIN = `
  INSERT INTO run_spending (run_id, calls, tokens, money) VALUES ($1, 1, 0, 0)
  ON CONFLICT (run_id) DO UPDATE SET calls = run_spending.calls + 1
  WHERE ($2::float8 IS NULL OR run_spending.calls < $2::float8)
    AND ($3::float8 IS NULL OR run_spending.tokens < $3::float8)
    AND ($4::float8 IS NULL OR run_spending.money < $4::float8)
  RETURNING calls`;

/**
 * Counts a call of a provider's language model before it is sent, whatever becomes of it: a request that fails may have
 * been paid. Calls that are open at the same time never pass a budget of calls; one of tokens or money they may pass, by
 * what those that are open cost.
 * Fails with BudgetSpent if nothing is left for another call.
 */
export async function beginCall(dataSource: DataSource, submissionId: string, budget: Budget = {}): Promise<void> {
  const { calls = null, tokens = null, money = null } = budget;
  const begun = await dataSource.query<unknown[]>(BEGIN, [submissionId, calls, tokens, money]);
  if (begun.length === 0) throw await budgetSpent(dataSource, submissionId, budget);
}

/** Takes back a call that was counted and never sent. */
export async function takeBackCall(dataSource: DataSource, submissionId: string): Promise<void> {
  await dataSource.query('UPDATE run_spending SET calls = calls - 1 WHERE run_id = $1', [submissionId]);
}

/** Adds what a reply cost. Its call has been counted by beginCall. */
export async function payFor(
  manager: EntityManager,
  submissionId: string,
  { inputTokens = 0, outputTokens = 0, cost = 0 }: ReplyCost,
): Promise<void> {
  await manager.query('UPDATE run_spending SET tokens = tokens + $2, money = money + $3 WHERE run_id = $1', [
    submissionId,
    inputTokens + outputTokens,
    cost,
  ]);
}

async function budgetSpent(dataSource: DataSource, submissionId: string, budget: Budget): Promise<Error> {
  const spending = await dataSource.getRepository(Spending).findOneByOrFail({ submissionId });
  const spent = UNITS.flatMap((unit) => {
    const limit = budget[unit];
    return limit !== undefined && spending[unit] >= limit ? [`${spending[unit]} of ${limit} ${unit}`] : [];
  });
  return nonRetryable(
    FailureType.BudgetSpent,
    `The budget is spent: ${spent.join(', ')}. Resuming the run, question or evaluation grants it once more.`,
  );
}
