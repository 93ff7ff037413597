import type { DatasetCheck } from '../../../../workflows/contracts/dataset-check.js';

/** A dataset's check as lines. */
export function checkReport(check: DatasetCheck): string[] {
  if (check.problem !== undefined) return [`${check.name}: CANNOT BE USED`, `  ${check.problem}`];
  if (check.madeUp) return [`${check.name}: a made-up world, nothing to read`];
  const { name, training, heldOut, families, repeated, leftOut, unreadable, overlapping, sha256 } = check;
  const byFamily = Object.entries(families).map(([family, count]) => `${family} ${count}`);
  const byBenchmark = Object.entries(overlapping.byBenchmark).map(([benchmark, count]) => `${benchmark} ${count}`);
  return [
    `${name}: ${training} training, ${heldOut} held-out questions, sha256 ${sha256.slice(0, 12)}`,
    `  families: ${byFamily.join(', ')}`,
    ...(repeated > 0 ? [`  ${repeated} repeated records dropped`] : []),
    ...(leftOut > 0 ? [`  ${leftOut} records that are no question here left out`] : []),
    ...(unreadable.count > 0 ? [`  ${unreadable.count} records not readable:`] : []),
    ...unreadable.first.map((message) => `    ${message}`),
    ...(overlapping.count > 0
      ? [`  ${overlapping.count} questions left out for overlap: ${byBenchmark.join(', ')}`]
      : []),
    ...overlapping.first.map(({ item, question, words }) => `    ${item} ~ ${question}: ${words}`),
  ];
}
