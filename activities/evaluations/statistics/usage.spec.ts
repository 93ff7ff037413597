import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { summariseUsage, type FlowUsage } from './usage.js';

const flow = (queryId: string, tools: string[], rest: Partial<FlowUsage> = {}): FlowUsage => ({
  queryId,
  turns: tools.length,
  tools,
  ...rest,
});

describe('summariseUsage', () => {
  it('counts tools by turn, and figures where they are known', () => {
    const summary = summariseUsage([
      flow('a', ['search', 'search', 'calculator'], { tokens: 100, seconds: 2 }),
      flow('b', ['calculator'], { tokens: 300 }),
    ]);
    expect(summary.toolMix).toEqual({ calculator: 0.5, search: 0.5 });
    expect(summary.turns.value).toBe(2);
    expect(summary.oneTurn).toBe(0.5);
    expect(summary.tokens?.value).toBe(200);
    expect(summary.seconds?.value).toBe(2);
    expect(summary).not.toHaveProperty('cost');
    expect(summary.totals).toEqual({ turns: 4, tokens: 400, cost: 0, seconds: 2 });
  });

  it('has shares that add up to 1, whatever the order of the flows', () => {
    const flows = fc.array(
      fc.array(fc.constantFrom('search', 'calculator', 'none'), { maxLength: 6 }).map((tools) => flow('q', tools)),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(flows, (some) => {
        const { toolMix } = summariseUsage(some);
        const shares = Object.values(toolMix);
        const expected = some.some(({ turns }) => turns > 0) ? 1 : 0;
        expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(expected, 12);
        expect(JSON.stringify(summariseUsage([...some].reverse()).toolMix)).toBe(JSON.stringify(toolMix));
      }),
    );
  });

  it('is empty where nothing was asked', () => {
    expect(summariseUsage([])).toMatchObject({ oneTurn: 0, toolMix: {}, totals: { turns: 0 } });
  });
});
