import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { MemoryEntry } from '../contracts/flow.js';
import { withinBudget } from './memory-budget.js';

/** Without the character that stands for half of one: the test looks for it. */
const text = (maxLength: number) =>
  fc.string({ unit: 'grapheme', maxLength }).map((drawn) => drawn.replaceAll('\uFFFD', ''));
const memory = fc
  .array(
    fc.record({
      tool: fc.constantFrom('lookup', 'calculator', undefined),
      subGoal: text(100),
      command: text(100),
      result: fc.option(text(3000), { nil: undefined }),
      mistake: fc.option(text(100), { nil: undefined }),
      critique: text(200),
    }),
    { minLength: 1, maxLength: 50 },
  )
  .map((entries) => entries.map((entry, i): MemoryEntry => ({ turn: i + 1, verdict: 'CONTINUE', ...entry })));

const bytes = (entries: readonly object[]) =>
  entries
    .flatMap((entry): unknown[] => Object.values(entry))
    .reduce<number>((sum, value) => sum + (typeof value === 'string' ? Buffer.byteLength(value) : 0), 0);

describe('withinBudget', () => {
  it('never passes the budget while a turn can still be left out, keeps the newest turns, and cuts no character', () => {
    fc.assert(
      fc.property(memory, fc.integer({ min: 200, max: 4000 }), (entries, tokens) => {
        const kept = withinBudget(entries, tokens);
        if (kept.length > 1) expect(bytes(kept)).toBeLessThanOrEqual(tokens * 4);
        expect(kept.map(({ turn }) => turn)).toEqual(entries.slice(-kept.length).map(({ turn }) => turn));
        for (const { result = '' } of kept) expect(result).not.toMatch(/\p{Surrogate}|\uFFFD/u);
      }),
    );
  });

  it('changes nothing where everything fits, and is a pure function', () => {
    fc.assert(
      fc.property(memory, (entries) => {
        const before = structuredClone(entries);
        expect(withinBudget(entries, 12_000 * 50)).toEqual(entries);
        expect(withinBudget(entries, 300)).toEqual(withinBudget(entries, 300));
        expect(entries).toEqual(before);
      }),
    );
  });

  const entry = (turn: number, length: number): MemoryEntry => ({
    turn,
    tool: 'lookup',
    subGoal: 's',
    command: 'c',
    result: 'x'.repeat(length),
    verdict: 'CONTINUE',
    critique: '',
  });

  it('shortens the oldest result first, and says so', () => {
    const [first, second, third] = withinBudget([entry(1, 2000), entry(2, 2000), entry(3, 2000)], 1200);
    expect(first.result).toMatch(/^x+ \[shortened: 2000 bytes in all\]$/);
    expect(first.result).not.toHaveLength(2000);
    expect([second, third].map(({ result }) => result?.length)).toEqual([2000, 2000]);
  });

  it('leaves whole turns out where shortening is not enough, and says which', () => {
    const entries = Array.from({ length: 20 }, (_, i) => entry(i + 1, 500));
    const kept = withinBudget(entries, 300);
    expect(kept.length).toBeLessThan(20);
    expect(kept[0].result).toContain(`[turns 1 to ${20 - kept.length} are left out: the memory is full]`);
    expect(kept.at(-1)?.turn).toBe(20);
  });

  it('says which are left out where a prompt shows it: in the mistake of a call that has one', () => {
    const failed = Array.from({ length: 20 }, (_, i) => ({ ...entry(i + 1, 0), mistake: 'x'.repeat(500) }));
    const [first] = withinBudget(failed, 300);
    expect(first.mistake).toMatch(/^\[turns 1 to \d+ are left out: the memory is full\] x/);
    expect(first.result).toBe('');
  });
});
