import type { DatasetCheck } from '../../../contracts/dataset-check.js';
import { formatTable } from '../../output/format.js';

const HEADER = ['dataset', 'training', 'held out', 'families', 'characters', 'left out', 'to look at'];

/** Checks of datasets as lines: a table of all, then what there is to say of each. */
export function checkReports(checks: readonly DatasetCheck[]): string[] {
  return [...formatTable(HEADER, checks.map(row)), ...checks.flatMap((check) => ['', ...checkReport(check)])];
}

function row(check: DatasetCheck): string[] {
  if (check.problem !== undefined) return [check.name, 'CANNOT BE USED'];
  if (check.madeUp) return [check.name, 'made up'];
  const { name, training, heldOut, families, characters, repeated, leftOut, unreadable, overlapping } = check;
  const lost = repeated + leftOut + unreadable.count + overlapping.count;
  const toLookAt = check.findings.length + check.notes.length;
  const lengths = `${characters.median} to ${characters.longest}`;
  return [name, ...[training, heldOut, Object.keys(families).length, lengths, lost, toLookAt].map(String)];
}

/** A dataset's check as lines. */
export function checkReport(check: DatasetCheck): string[] {
  if (check.problem !== undefined) return [`${check.name}: CANNOT BE USED`, `  ${check.problem}`];
  if (check.madeUp) return [`${check.name}: a made-up world, nothing to read`];
  const { name, training, heldOut, families, characters, repeated, leftOut, unreadable, overlapping, sha256 } = check;
  const byFamily = Object.entries(families).map(([family, count]) => `${family} ${count}`);
  const byBenchmark = Object.entries(overlapping.byBenchmark).map(([benchmark, count]) => `${benchmark} ${count}`);
  return [
    `${name}: ${training} training, ${heldOut} held-out questions, sha256 ${sha256.slice(0, 12)}`,
    `  families: ${byFamily.join(', ')}`,
    `  characters of a question: median ${characters.median}, 95 % have at most ${characters.p95}, longest ` +
      `${characters.longest}; tokens depend on the model and are not counted`,
    `  licence: ${licenceOf(check.licence)}`,
    ...check.notes.map((note) => `  note: ${note}`),
    ...check.findings.flatMap(({ says, count, first }) => [
      `  ${count} to look at: ${says}`,
      `    ${shown(first, count)}`,
    ]),
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

function licenceOf({ stated, files }: { stated?: string; files: string[] }): string {
  const said = stated === undefined ? files : [`${stated}, as the publisher states it`, ...files];
  return said.length > 0 ? said.join(', ') : 'no file of that name beside the data';
}

function shown(first: readonly string[], count: number): string {
  return [...first, ...(count > first.length ? [`${count - first.length} more`] : [])].join(', ');
}
