import { SCORED_OUTCOMES } from '../../workflows/contracts/flow.js';
import type {
  Cell,
  CellComparison,
  CellReport,
  EvaluationReport,
} from '../../workflows/contracts/benchmark-evaluation.js';
import { agreementOf } from '../../workflows/contracts/statistics/agreement.js';
import { comparePolicies, type OutcomesByQuestion } from '../../workflows/contracts/statistics/paired.js';
import { accuracyOf, clusteredMean } from '../../workflows/contracts/statistics/proportion.js';
import { summariseUsage } from '../../workflows/contracts/statistics/usage.js';
import type { FlowRow } from './flow-rows.js';

/** What an evaluation found: a pure function of its cells and of the flows that were recorded. */
export function reportOf(cells: readonly Cell[], flows: readonly FlowRow[]): EvaluationReport {
  const ofCell = cells.map(({ index }) => flows.filter((flow) => flow.cell === index));
  return {
    cells: cells.map((cell, i) => reportOfCell(cell, ofCell[i])),
    comparisons: pairs(cells).map(([first, second]) =>
      compare(cells[first], cells[second], outcomes(ofCell[first]), outcomes(ofCell[second])),
    ),
  };
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

function compare(first: Cell, second: Cell, one: OutcomesByQuestion, other: OutcomesByQuestion): CellComparison {
  return {
    benchmark: first.benchmark.name,
    maxTurns: first.maxTurns,
    first: first.policy,
    second: second.policy,
    ...comparePolicies(one, other),
  };
}

/** 1 or 0 for each trial of each question. An excluded flow counts as wrong: every question asked is counted. */
function outcomes(flows: readonly FlowRow[]): Record<string, number[]> {
  const found: Record<string, number[]> = {};
  for (const flow of flows) (found[flow.queryId] ??= []).push(isCorrect(flow) ? 1 : 0);
  return found;
}

function families(flows: readonly FlowRow[]): CellReport['byFamily'] {
  const names = [...new Set(flows.map(({ family }) => family))].sort();
  return Object.fromEntries(
    names.map((name) => {
      const mine = flows.filter(({ family }) => family === name);
      const correct = mine.filter(isCorrect).length;
      return [name, { asked: mine.length, correct, accuracy: correct / mine.length }];
    }),
  );
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
