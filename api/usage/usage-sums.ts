import type { UsageKind } from '../../infra/database/entities/usage-entry.entity.js';
import type { UsageFigures } from './dto/usage-report.dto.js';

/** What was used of one thing, for a run or on a day. */
export interface UsageSum {
  /** The run or the day; empty if all are added up. */
  key: string;
  kind: UsageKind;
  name: string | null;
  calls: number;
  prompt_tokens: number;
  completion_tokens: number;
  unmetered_calls: number;
  cost: number | null;
  unpriced_calls: number;
  seconds: number;
}

/** Of all rows of usage_entries that a query has chosen; money is added exactly, so that parts and whole agree. */
export const SUMS = `kind, name, count(*)::float8 AS calls,
  COALESCE(sum(prompt_tokens), 0)::float8 AS prompt_tokens,
  COALESCE(sum(completion_tokens), 0)::float8 AS completion_tokens,
  (count(*) FILTER (WHERE prompt_tokens IS NULL OR completion_tokens IS NULL))::float8 AS unmetered_calls,
  sum(cost::numeric)::float8 AS cost,
  (count(*) FILTER (WHERE kind = 'language_model' AND cost IS NULL))::float8 AS unpriced_calls,
  COALESCE(sum(seconds), 0) AS seconds`;

type Counts = Pick<
  UsageSum,
  'calls' | 'prompt_tokens' | 'completion_tokens' | 'unmetered_calls' | 'cost' | 'unpriced_calls'
>;

export function figuresOf(sums: readonly UsageSum[]): UsageFigures {
  const tools = sums.filter(({ kind }) => kind === 'tool');
  const models = sums.flatMap(({ kind, name, ...sum }) =>
    kind === 'tool' || kind === 'trainer' ? [] : [{ kind, name, ...countsOf([sum]) }],
  );
  return {
    ...countsOf(models),
    tool_calls: total(tools.map(({ calls }) => calls)),
    trainer_seconds: total(sums.map(({ seconds }) => seconds)),
    models,
    tools: tools.map(({ name, calls }) => ({ name, calls })),
  };
}

function countsOf(parts: readonly Counts[]): Counts {
  const costs = parts.flatMap(({ cost }) => (cost === null ? [] : [cost]));
  const of = (count: Exclude<keyof Counts, 'cost'>): number => total(parts.map((part) => part[count]));
  return {
    calls: of('calls'),
    prompt_tokens: of('prompt_tokens'),
    completion_tokens: of('completion_tokens'),
    unmetered_calls: of('unmetered_calls'),
    cost: costs.length > 0 ? total(costs) : null,
    unpriced_calls: of('unpriced_calls'),
  };
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
