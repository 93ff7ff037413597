import type { DatasetCheck, DatasetReport, Lengths, TokenLengths } from '../../../contracts/dataset-check.js';
import { formatTable } from '../../output/format.js';

const HEADER = ['dataset', 'training', 'held out', 'families', 'characters', 'left out', 'to look at'];

/** Checks of datasets as lines: a table of all, then what there is to say of each. */
export function checkReports(checks: readonly DatasetCheck[]): string[] {
  const hasTokens = checks.some((check) => isReport(check) && check.tokens);
  const header = [...HEADER.slice(0, 5), ...(hasTokens ? ['tokens', 'too long'] : []), ...HEADER.slice(5)];
  return [...formatTable(header, checks.map(row)), ...checks.flatMap((check) => ['', ...checkReport(check)])];
}

function row(check: DatasetCheck): string[] {
  if (check.problem !== undefined) return [check.name, 'CANNOT BE USED'];
  if (check.madeUp) return [check.name, 'made up'];
  const { name, training, heldOut, families, characters, tokens, repeated, leftOut, unreadable, overlapping } = check;
  const lost = repeated + leftOut + unreadable.count + overlapping.count;
  const toLookAt = check.findings.length + check.notes.length;
  const inTokens = tokens ? [range(tokens.question), tokens.tooLong.count] : [];
  const counts = [training, heldOut, Object.keys(families).length, range(characters), ...inTokens, lost, toLookAt];
  return [name, ...counts.map(String)];
}

function range({ median, longest }: Lengths): string {
  return `${median} to ${longest}`;
}

function isReport(check: DatasetCheck): check is DatasetReport {
  return check.problem === undefined && !check.madeUp;
}

/** A dataset's check as lines. */
export function checkReport(check: DatasetCheck): string[] {
  if (check.problem !== undefined) return [`${check.name}: CANNOT BE USED`, `  ${check.problem}`];
  if (check.madeUp) return [`${check.name}: a made-up world, nothing to read`];
  const { name, training, heldOut, families, tokens, repeated, leftOut, unreadable, overlapping, sha256 } = check;
  const byFamily = Object.entries(families).map(([family, count]) => `${family} ${count}`);
  const byBenchmark = Object.entries(overlapping.byBenchmark).map(([benchmark, count]) => `${benchmark} ${count}`);
  return [
    `${name}: ${training} training, ${heldOut} held-out questions, sha256 ${sha256.slice(0, 12)}`,
    `  families: ${byFamily.join(', ')}`,
    `  characters of a question: ${lengthsIn(check.characters)}`,
    ...(tokens ? tokenLines(tokens) : ['  tokens of a question: say the model, with --model NAME']),
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

function lengthsIn({ median, p95, longest }: Lengths): string {
  return `median ${median}, 95 % have at most ${p95}, longest ${longest}`;
}

function tokenLines({ model, context, prompt, plan, room, question, tooLong }: TokenLengths): string[] {
  return [
    `  tokens of a question, by ${model}: ${lengthsIn(question)}`,
    `  room for a question: ${room} tokens; of a context of ${context} the planner's prompt takes ${prompt}, a plan ${plan}`,
    ...(tooLong.count > 0 ? [`  ${tooLong.count} questions do not fit, and are excluded as prompt_too_long:`] : []),
    ...(tooLong.count > 0 ? [`    ${shown(tooLong.first, tooLong.count)}`] : []),
  ];
}

function licenceOf({ stated, files }: { stated?: string; files: string[] }): string {
  const said = stated === undefined ? files : [`${stated}, as the publisher states it`, ...files];
  return said.length > 0 ? said.join(', ') : 'no file of that name beside the data';
}

function shown(first: readonly string[], count: number): string {
  return [...first, ...(count > first.length ? [`${count - first.length} more`] : [])].join(', ');
}
