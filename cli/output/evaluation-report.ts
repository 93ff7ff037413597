import type { BenchmarkEvaluation } from '../client/api-types.js';
import { formatNumber, formatShares, formatTable } from './format.js';

/** What a completed evaluation has found. */
export type Report = NonNullable<BenchmarkEvaluation['report']>;
type Cell = Report['cells'][number];
type Comparison = Report['comparisons'][number];
type Row = readonly string[];

const CELL_HEADER = ['benchmark', 'policy', 'max turns', 'asked', 'accuracy', '95 %', 'excluded', 'turns', 'tools'];
const COST_HEADER = ['tokens', 'cost', 'seconds'];
const COMPARISON_HEADER = ['benchmark', 'max turns', 'policy', 'against', 'difference', '95 %', 'better/worse', 'p'];

/** The report as tables for a terminal. */
export function reportText(report: Report): string {
  const { cells, comparisons } = tables(report);
  return [
    formatTable(cells[0], cells.slice(1)),
    comparisons.length > 1 ? formatTable(comparisons[0], comparisons.slice(1)) : [],
  ]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

/** The same as Markdown. */
export function reportMarkdown(report: Report): string {
  const { cells, comparisons } = tables(report);
  const parts = [markdownTable(cells), ...(comparisons.length > 1 ? [markdownTable(comparisons)] : [])];
  return `${parts.join('\n\n')}\n`;
}

/** A line per cell with every figure, for a spreadsheet. */
export function reportCsv({ cells }: Report): string {
  const header = [
    ...['benchmark', 'policy', 'max_turns', 'questions', 'asked', 'correct', 'failed'],
    ...['accuracy', 'accuracy_low', 'accuracy_high', 'f1', 'turns', 'tool_mix'],
    ...['tokens', 'cost', 'seconds', 'tokens_total', 'cost_total', 'judge_kappa'],
  ];
  const lines = cells.map((cell) => [
    ...[cell.benchmark, cell.policy, cell.max_turns, cell.questions, cell.asked, cell.correct, cell.failed],
    ...[cell.accuracy.value, ...cell.accuracy.interval, cell.f1?.value, cell.turns.value, formatShares(cell.tool_mix)],
    ...[cell.tokens?.value, cell.cost?.value, cell.seconds?.value, cell.totals.tokens, cell.totals.cost],
    cell.agreement?.kappa,
  ]);
  return [header, ...lines].map((line) => `${line.map(quoted).join(',')}\r\n`).join('');
}

function tables({ cells, comparisons }: Report): { cells: Row[]; comparisons: Row[] } {
  const costs = cells.some(({ tokens }) => tokens !== null);
  return {
    cells: [[...CELL_HEADER, ...(costs ? COST_HEADER : [])], ...cells.map((cell) => cellRow(cell, costs))],
    comparisons: [COMPARISON_HEADER, ...comparisons.map(comparisonRow)],
  };
}

function cellRow(cell: Cell, costs: boolean): Row {
  const row = [
    cell.benchmark,
    cell.policy,
    String(cell.max_turns),
    String(cell.asked),
    cell.accuracy.value.toFixed(3),
    between(cell.accuracy.interval),
    String(cell.failed),
    cell.turns.value.toFixed(2),
    formatShares(cell.tool_mix) ?? '-',
  ];
  const figures = [cell.tokens, cell.cost, cell.seconds].map((figure) => (figure ? formatNumber(figure.value) : '-'));
  return costs ? [...row, ...figures] : row;
}

/** How the second policy compares with the first. */
function comparisonRow(comparison: Comparison): Row {
  const { difference } = comparison;
  return [
    comparison.benchmark,
    String(comparison.max_turns),
    comparison.second,
    comparison.first,
    signed(difference.value),
    difference.interval.map(signed).join(' to '),
    `${comparison.second_better}/${comparison.first_better} of ${comparison.questions}`,
    comparison.p_value < 1e-4 ? '< 0.0001' : comparison.p_value.toFixed(4),
  ];
}

function markdownTable([header, ...rows]: Row[]): string {
  const line = (cells: Row) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

function between(interval: readonly number[]): string {
  return interval.map((bound) => bound.toFixed(2)).join(' to ');
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(3)}`;
}

/** RFC 4180. */
function quoted(value: string | number | null | undefined): string {
  const text = value === null || value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
