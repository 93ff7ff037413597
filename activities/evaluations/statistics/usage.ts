import type { UsageSummary } from '../../../contracts/benchmark-evaluation.js';
import { clusteredMean } from './proportion.js';

/** What one agent flow on one question took. */
export interface FlowUsage {
  queryId: string;
  turns: number;
  /** Tool name per turn; `none` for a plan that could not be read. */
  tools: readonly string[];
  /** Of all calls of language models, prompt and reply; absent where it is not known. */
  tokens?: number;
  /** In the unit of the operator's prices; absent where it is not known. */
  cost?: number;
  /** Seconds of successful calls. */
  seconds?: number;
}

export function summariseUsage(flows: readonly FlowUsage[]): UsageSummary {
  const totals = {
    turns: sum(flows, 'turns'),
    tokens: sum(flows, 'tokens'),
    cost: sum(flows, 'cost'),
    seconds: sum(flows, 'seconds'),
  };
  return {
    turns: clusteredMean(byQuestion(flows, 'turns')),
    oneTurn: flows.length === 0 ? 0 : flows.filter(({ turns }) => turns === 1).length / flows.length,
    toolMix: toolMix(flows),
    ...known(flows, 'tokens'),
    ...known(flows, 'cost'),
    ...known(flows, 'seconds'),
    totals,
  };
}

type Figure = 'turns' | 'tokens' | 'cost' | 'seconds';

/** Tools by name, so that equal flows give equal bytes whatever their order. */
function toolMix(flows: readonly FlowUsage[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { tools } of flows) for (const tool of tools) counts.set(tool, (counts.get(tool) ?? 0) + 1);
  const used = [...counts.values()].reduce((total, count) => total + count, 0);
  return Object.fromEntries([...counts.keys()].sort().map((name) => [name, counts.get(name)! / used]));
}

function known(flows: readonly FlowUsage[], figure: Exclude<Figure, 'turns'>): Partial<UsageSummary> {
  const values = byQuestion(flows, figure);
  return values.length === 0 ? {} : { [figure]: clusteredMean(values) };
}

function byQuestion(flows: readonly FlowUsage[], figure: Figure): number[][] {
  const groups = new Map<string, number[]>();
  for (const flow of flows) {
    const value = flow[figure];
    if (value !== undefined) groups.set(flow.queryId, [...(groups.get(flow.queryId) ?? []), value]);
  }
  return [...groups.values()];
}

function sum(flows: readonly FlowUsage[], figure: Figure): number {
  return flows.reduce((total, flow) => total + (flow[figure] ?? 0), 0);
}
