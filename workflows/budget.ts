import type { FlowConfig } from '../contracts/flow-config.js';

type Budget = NonNullable<FlowConfig['budget']>;

/** A budget that was granted so many times. */
export function timesBudget({ tokens, money, calls }: Budget, times: number): Budget {
  return { tokens: tokens && tokens * times, money: money && money * times, calls: calls && calls * times };
}
