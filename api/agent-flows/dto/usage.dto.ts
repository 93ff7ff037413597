import { z } from 'zod';
import type { Turn } from '../../../infra/database/entities/index.js';

export const usageSchema = z.object({
  calls: z.int().describe('Calls of models, with any engine. Calls that the cache answered are not counted.'),
  prompt_tokens: z.int(),
  completion_tokens: z.int(),
  cost: z.number().nullable().describe("By the operator's prices. Null if no call has a price."),
  seconds: z.number().describe('Seconds of the successful calls of modules. Time lost to outages is not counted.'),
});
export type UsageDto = z.infer<typeof usageSchema>;

/** The columns of a turn that its usage is counted from. */
export type CountedTurn = Pick<Turn, 'output' | 'calls' | 'promptTokenIds' | 'responseTokenIds'>;

interface Counted {
  prompt: number;
  completion: number;
  cost?: number;
}

const BYTES_PER_TOKEN_ID = 4;

/** What the modules of a flow used, so far. */
export function usageOf(turns: readonly CountedTurn[]): UsageDto {
  const calls = turns.flatMap(callsOf);
  const costs = calls.flatMap(({ cost }) => (cost === undefined ? [] : [cost]));
  return {
    calls: calls.length,
    prompt_tokens: sum(calls.map(({ prompt }) => prompt)),
    completion_tokens: sum(calls.map(({ completion }) => completion)),
    cost: costs.length > 0 ? sum(costs) : null,
    seconds: sum(turns.map(({ output }) => (output as { seconds?: number }).seconds ?? 0)),
  };
}

/** A sampled turn has its token ids; every other call is listed in the turn's row. */
function callsOf({ calls, promptTokenIds, responseTokenIds }: CountedTurn): Counted[] {
  if (calls) {
    return calls
      .filter(({ cached }) => !cached)
      .map(({ inputTokens = 0, outputTokens = 0, cost }) => ({ prompt: inputTokens, completion: outputTokens, cost }));
  }
  if (!promptTokenIds || !responseTokenIds) return [];
  return [
    {
      prompt: promptTokenIds.length / BYTES_PER_TOKEN_ID,
      completion: responseTokenIds.length / BYTES_PER_TOKEN_ID,
    },
  ];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
