import { z } from 'zod';
import type { CellComparison, CellReport, EvaluationReport } from '../../../contracts/benchmark-evaluation.js';

const estimate = z.object({ value: z.number(), interval: z.tuple([z.number(), z.number()]).describe('95 %.') });
const figure = estimate.nullable().describe('Null if no flow has the figure.');

const cellSchema = z.object({
  benchmark: z.string(),
  policy: z.string(),
  max_turns: z.int(),
  questions: z.int(),
  asked: z.int().describe('Each question as often as there are trials: the denominator.'),
  correct: z.int(),
  failed: z.int().describe('Flows that ended excluded: counted as wrong, shown apart.'),
  outcomes: z.record(z.string(), z.int()),
  accuracy: estimate,
  by_family: z.record(z.string(), z.object({ asked: z.int(), correct: z.int(), accuracy: z.number() })),
  f1: figure,
  turns: estimate,
  tool_mix: z.record(z.string(), z.number()).describe('Share of all turns.'),
  tokens: figure,
  cost: figure,
  seconds: figure.describe('Seconds of language-model calls per flow.'),
  totals: z.object({ turns: z.number(), tokens: z.number(), cost: z.number(), seconds: z.number() }),
  undecided: z
    .object({
      answers: z.int(),
      share: z.number(),
      examples: z.array(z.object({ query_id: z.string(), answer: z.string() })),
    })
    .nullable()
    .describe(
      'Answers that count as wrong because no rule could decide and no judge was asked. Null in older reports.',
    ),
  agreement: z
    .object({ answers: z.int(), observed: z.number(), kappa: z.number().nullable() })
    .nullable()
    .describe('How far rules and judge agree on the answers that both decided.'),
});
export type CellDto = z.infer<typeof cellSchema>;

const comparisonSchema = z.object({
  benchmark: z.string(),
  max_turns: z.int(),
  first: z.string(),
  second: z.string(),
  questions: z.int(),
  first_better: z.int(),
  second_better: z.int(),
  difference: estimate.describe('Accuracy of the second minus that of the first, paired by question.'),
  test: z.enum(['mcnemar-exact', 'sign-flip']),
  p_value: z.number(),
});
export type ComparisonDto = z.infer<typeof comparisonSchema>;

export const reportSchema = z.object({ cells: z.array(cellSchema), comparisons: z.array(comparisonSchema) });
export type ReportDto = z.infer<typeof reportSchema>;

export function toReportDto({ cells, comparisons }: EvaluationReport): ReportDto {
  return { cells: cells.map(toCellDto), comparisons: comparisons.map(toComparisonDto) };
}

function toCellDto({ maxTurns, byFamily, usage, agreement, undecided, f1, ...cell }: CellReport): CellDto {
  return {
    ...cell,
    max_turns: maxTurns,
    by_family: byFamily,
    f1: f1 ?? null,
    turns: usage.turns,
    tool_mix: usage.toolMix,
    tokens: usage.tokens ?? null,
    cost: usage.cost ?? null,
    seconds: usage.seconds ?? null,
    totals: usage.totals,
    undecided: undecided
      ? {
          answers: undecided.answers,
          share: undecided.share,
          examples: undecided.examples.map(({ queryId, answer }) => ({ query_id: queryId, answer })),
        }
      : null,
    agreement: agreement
      ? { answers: agreement.answers, observed: agreement.observed, kappa: agreement.kappa ?? null }
      : null,
  };
}

function toComparisonDto(comparison: CellComparison): ComparisonDto {
  const { benchmark, first, second, questions, difference, test } = comparison;
  return {
    benchmark,
    max_turns: comparison.maxTurns,
    first,
    second,
    questions,
    first_better: comparison.firstBetter,
    second_better: comparison.secondBetter,
    difference,
    test,
    p_value: comparison.pValue,
  };
}
