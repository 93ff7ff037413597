import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Cell } from '../../contracts/benchmark-evaluation.js';
import type { FlowRow } from './flow-rows.js';
import { finish, inTurns } from './statistics/slices.js';
import * as slices from './report.js';

const reportOf = (...args: Parameters<typeof slices.reportOf>) => finish(slices.reportOf(...args));

const benchmark = { name: 'atlas', seed: 7 };
const CELLS: Cell[] = [
  { index: 0, benchmark, policy: 'base', maxTurns: 2 },
  { index: 1, benchmark, policy: 'base', maxTurns: 5 },
  { index: 2, benchmark, policy: 'run-a@4', maxTurns: 2 },
  { index: 3, benchmark, policy: 'run-a@4', maxTurns: 5 },
];

function flow(cell: number, queryId: string, changes: Partial<FlowRow> = {}): FlowRow {
  return {
    cell,
    queryId,
    family: 'arithmetic',
    outcome: 'answered',
    reward: 1,
    turns: 1,
    tools: ['calculator'],
    answer: null,
    grading: null,
    tokens: null,
    cost: null,
    seconds: null,
    ...changes,
  };
}

describe('the report of an evaluation', () => {
  it('tells how many answers nobody decided, and shows some of them', () => {
    const undecided = { rules: 'undecided', rule: 'text' } as const;
    const flows = [
      flow(0, 'a', { reward: 0, answer: 'America', grading: undecided }),
      flow(0, 'b', { grading: { rules: 'right', rule: 'text' } }),
      flow(0, 'c', { grading: { ...undecided, judge: { model: 'm', equivalent: true, reason: '' } } }),
      flow(0, 'd', { reward: 0, answer: 'x'.repeat(900), grading: undecided }),
    ];
    const examples = [
      { queryId: 'a', answer: 'America' },
      { queryId: 'd', answer: 'x'.repeat(200) },
    ];
    expect(reportOf([CELLS[0]], flows).cells[0].undecided).toEqual({ answers: 2, share: 0.5, examples });
    expect(reportOf([CELLS[0]], []).cells[0].undecided).toEqual({ answers: 0, share: 0, examples: [] });
  });

  it('I2: counts every question asked; an excluded flow is wrong, and shown apart', () => {
    const flows = [
      flow(0, 'a'),
      flow(0, 'b', { reward: 0 }),
      flow(0, 'c', { outcome: 'infrastructure', reward: null, turns: 0, tools: [] }),
      flow(0, 'd', { family: 'lookup' }),
    ];
    const [cell] = reportOf([CELLS[0]], flows).cells;
    expect(cell).toMatchObject({ questions: 4, asked: 4, correct: 2, failed: 1, accuracy: { value: 0.5 } });
    expect(cell.outcomes).toEqual({ answered: 3, infrastructure: 1 });
    expect(cell.byFamily).toEqual({
      arithmetic: { asked: 3, correct: 1, accuracy: 1 / 3 },
      lookup: { asked: 1, correct: 1, accuracy: 1 },
    });
  });

  it('compares policies on the same benchmark with the same turn budget, and nothing else', () => {
    const flows = CELLS.flatMap(({ index }) => [
      flow(index, 'a', { reward: index < 2 ? 0 : 1 }),
      flow(index, 'b', { reward: 1 }),
    ]);
    const { comparisons } = reportOf(CELLS, flows);
    expect(comparisons.map(({ first, second, maxTurns }) => [first, second, maxTurns])).toEqual([
      ['base', 'run-a@4', 2],
      ['base', 'run-a@4', 5],
    ]);
    expect(comparisons[0]).toMatchObject({
      questions: 2,
      unpaired: 0,
      firstBetter: 0,
      secondBetter: 1,
      difference: { value: 0.5 },
      test: 'mcnemar-exact',
    });
  });

  it('tells how far rules and judge agree, on the answers that both decided', () => {
    const judge = (equivalent: boolean) => ({ model: 'gpt', equivalent, reason: 'said so' });
    const flows = [
      flow(0, 'a', { grading: { rules: 'right', rule: 'text', judge: judge(true), f1: 1 } }),
      flow(0, 'b', { grading: { rules: 'wrong', rule: 'text', judge: judge(true), f1: 0.5 } }),
      flow(0, 'c', { grading: { rules: 'undecided', rule: 'text', judge: judge(true), f1: 0.5 } }),
      flow(0, 'd', { grading: { rules: 'right', rule: 'text' } }),
    ];
    const [cell] = reportOf([CELLS[0]], flows).cells;
    expect(cell.agreement).toMatchObject({ answers: 2, observed: 0.5, table: [1, 0, 1, 0] });
    expect(cell.f1?.value).toBeCloseTo(2 / 3);
  });

  it('adds up what language models took, where it is known', () => {
    const flows = [flow(0, 'a', { tokens: 100, cost: 0.5, seconds: 2 }), flow(0, 'b', { tokens: 300, cost: 1.5 })];
    const { usage } = reportOf([CELLS[0]], flows).cells[0];
    expect(usage.totals).toEqual({ turns: 2, tokens: 400, cost: 2, seconds: 2 });
    expect(usage.seconds?.value).toBe(2);
  });

  it('says nothing of a cell without flows, rather than dividing by none of them', () => {
    const [cell] = reportOf([CELLS[0]], []).cells;
    expect(cell).toMatchObject({ asked: 0, correct: 0, accuracy: { value: 0, interval: [0, 1] } });
  });

  it('loses no flow and invents none, whatever the outcomes', () => {
    const row = fc.record({
      cell: fc.nat(3),
      queryId: fc.constantFrom('a', 'b', 'c'),
      outcome: fc.constantFrom('answered', 'budget_spent', 'infrastructure'),
      reward: fc.constantFrom(0, 1, null),
    });
    fc.assert(
      fc.property(fc.array(row), (rows) => {
        const report = reportOf(
          CELLS,
          rows.map((changes) => flow(changes.cell, changes.queryId, changes as Partial<FlowRow>)),
        );
        expect(report.cells.reduce((sum, cell) => sum + cell.asked, 0)).toBe(rows.length);
        expect(report.cells.reduce((sum, cell) => sum + cell.correct, 0)).toBe(
          rows.filter(({ reward }) => reward === 1).length,
        );
        for (const { accuracy } of report.cells) {
          expect(accuracy.interval[0]).toBeLessThanOrEqual(accuracy.value + 1e-12);
          expect(accuracy.value).toBeLessThanOrEqual(accuracy.interval[1] + 1e-12);
        }
      }),
    );
  });

  it('counts the families of a dataset that gives each question its own in one pass', () => {
    const flows = Array.from({ length: 200_000 }, (_, q) => flow(0, `q-${q}`, { family: `f-${q}` }));
    expect(Object.keys(reportOf([CELLS[0]], flows).cells[0].byFamily)).toHaveLength(200_000);
  });

  it('lets the worker do other things while it compares many policies, and comes to the same', async () => {
    const policies = ['base', 'run-a@1', 'run-a@2', 'run-a@3', 'run-a@4'];
    const cells = policies.map((policy, index): Cell => ({ index, benchmark, policy, maxTurns: 2 }));
    const flows = cells.flatMap(({ index }) =>
      Array.from({ length: 200 }, (_, q) => flow(index, `q-${q}`, { reward: (q * (index + 2)) % 3 === 0 ? 1 : 0 })),
    );
    let turns = 0;
    let over = false;
    const others = () => {
      turns += 1;
      if (!over) setImmediate(others);
    };
    setImmediate(others);
    const report = await inTurns(slices.reportOf(cells, flows));
    over = true;
    expect(report).toEqual(reportOf(cells, flows));
    // Ten pairs, each of them in many slices.
    expect(turns).toBeGreaterThanOrEqual(10 * 40);
  });
});
