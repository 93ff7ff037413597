import { SCORED_OUTCOMES } from '../../contracts/flow.js';
import type { Cell, CellComparison, CellReport, EvaluationReport } from '../../contracts/benchmark-evaluation.js';
import { isUndecided } from '../../contracts/scoring.js';
import { agreementOf } from './statistics/agreement.js';
import { comparePolicies, type OutcomesByQuestion } from './statistics/paired.js';
import { accuracyOf, clusteredMean } from './statistics/proportion.js';
import type { Slices } from './statistics/slices.js';
import { summariseUsage } from './statistics/usage.js';
import type { FlowRow } from './flow-rows.js';

const EXAMPLES = 5;
/** Characters of an answer. */
const EXAMPLE_LENGTH = 200;

/**
 * What an evaluation found: a pure function of its cells and of the flows that were recorded. In slices, because tens of
 * milliseconds a pair are minutes where there are thousands of pairs.
 */
export function* reportOf(cells: readonly Cell[], flows: readonly FlowRow[]): Slices<EvaluationReport> {
  const byCell = new Map<number, FlowRow[]>(cells.map(({ index }) => [index, []]));
  for (const flow of flows) byCell.get(flow.cell)?.push(flow);
  const ofCell = cells.map(({ index }) => byCell.get(index) ?? []);
  const report: EvaluationReport = { cells: [], comparisons: [] };
  for (const [i, cell] of cells.entries()) {
    yield;
    report.cells.push(reportOfCell(cell, ofCell[i]));
  }
  for (const [first, second] of pairs(cells)) {
    const [one, other] = [outcomes(ofCell[first]), outcomes(ofCell[second])];
    report.comparisons.push(yield* compare(cells[first], cells[second], one, other));
  }
  return report;
}

function reportOfCell(cell: Cell, flows: readonly FlowRow[]): CellReport {
  const answers = outcomes(flows);
  const verdicts = flows.flatMap(judgedByBoth);
  const f1 = flows.filter(({ grading }) => grading?.f1 !== undefined);
  return {
    benchmark: cell.benchmark.name,
    policy: cell.policy,
    maxTurns: cell.maxTurns,
    questions: Object.keys(answers).length,
    asked: flows.length,
    correct: flows.filter(isCorrect).length,
    failed: flows.filter((flow) => !isScored(flow)).length,
    outcomes: countBy(flows, ({ outcome }) => outcome),
    accuracy: accuracyOf(Object.values(answers)),
    byFamily: families(flows),
    ...(f1.length > 0 && { f1: clusteredMean(grouped(f1, ({ grading }) => grading?.f1 ?? 0)) }),
    usage: summariseUsage(flows.map(usageOf)),
    undecided: undecidedIn(flows),
    ...(verdicts.length > 0 && { agreement: agreementOf(verdicts) }),
  };
}

/** Pairs of cells that differ in the policy alone, by their places; the earlier one first. */
function pairs(cells: readonly Cell[]): [number, number][] {
  return cells.flatMap((first, i) =>
    cells.slice(i + 1).flatMap((second, k): [number, number][] => {
      const same = first.benchmark.name === second.benchmark.name && first.maxTurns === second.maxTurns;
      return same && first.benchmark.seed === second.benchmark.seed ? [[i, i + 1 + k]] : [];
    }),
  );
}

function* compare(
  first: Cell,
  second: Cell,
  one: OutcomesByQuestion,
  other: OutcomesByQuestion,
): Slices<CellComparison> {
  return {
    benchmark: first.benchmark.name,
    maxTurns: first.maxTurns,
    first: first.policy,
    second: second.policy,
    ...(yield* comparePolicies(one, other)),
  };
}

/** 1 or 0 for each trial of each question. An excluded flow counts as wrong: every question asked is counted. */
function outcomes(flows: readonly FlowRow[]): Record<string, number[]> {
  const found: Record<string, number[]> = {};
  for (const flow of flows) (found[flow.queryId] ??= []).push(isCorrect(flow) ? 1 : 0);
  return found;
}

function families(flows: readonly FlowRow[]): CellReport['byFamily'] {
  // In one pass: a dataset may give each of its questions a family of its own.
  const counts = new Map<string, { asked: number; correct: number }>();
  for (const flow of flows) {
    const { asked, correct } = counts.get(flow.family) ?? { asked: 0, correct: 0 };
    counts.set(flow.family, { asked: asked + 1, correct: correct + (isCorrect(flow) ? 1 : 0) });
  }
  return Object.fromEntries(
    [...counts.keys()].sort().map((name) => {
      const { asked, correct } = counts.get(name)!;
      return [name, { asked, correct, accuracy: correct / asked }];
    }),
  );
}

/** Shown are the answers alone: the truth of a held-out question is in no report. */
function undecidedIn(flows: readonly FlowRow[]): CellReport['undecided'] {
  const undecided = flows.filter(({ grading }) => isUndecided(grading));
  const examples = undecided.slice(0, EXAMPLES).map(({ queryId, answer }) => ({
    queryId,
    answer: (answer ?? '').slice(0, EXAMPLE_LENGTH),
  }));
  return { answers: undecided.length, share: flows.length === 0 ? 0 : undecided.length / flows.length, examples };
}

/** The verdicts of an answer that rules and judge both decided. */
function judgedByBoth({ grading }: FlowRow): [boolean, boolean][] {
  if (!grading?.judge || grading.rules === 'undecided') return [];
  return [[grading.rules === 'right', grading.judge.equivalent]];
}

function grouped(flows: readonly FlowRow[], value: (flow: FlowRow) => number): number[][] {
  const found = new Map<string, number[]>();
  for (const flow of flows) found.set(flow.queryId, [...(found.get(flow.queryId) ?? []), value(flow)]);
  return [...found.values()];
}

function countBy(flows: readonly FlowRow[], key: (flow: FlowRow) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const flow of flows) counts[key(flow)] = (counts[key(flow)] ?? 0) + 1;
  return counts;
}

function usageOf({ queryId, turns, tools, tokens, cost, seconds }: FlowRow) {
  const known = { tokens, cost, seconds };
  const figures = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== null));
  return { queryId, turns, tools, ...(figures as { tokens?: number; cost?: number; seconds?: number }) };
}

function isCorrect({ reward }: FlowRow): boolean {
  return reward === 1;
}

function isScored({ outcome }: FlowRow): boolean {
  return (SCORED_OUTCOMES as readonly string[]).includes(outcome);
}
