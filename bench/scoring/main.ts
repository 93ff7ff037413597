import { Command } from 'commander';
import type { Truth } from '../../activities/datasets/items/truth.js';
import { formatTable } from '../../cli/output/format.js';
import { askPython } from '../../cli/python/run-python.js';
import { generatedCases, recordedCases, type Case } from './cases.js';
import { ours, rulersFor } from './rulers.js';

const GENERATED = 2_000;
const SMOKE = 40;

const HEADER = ['KIND', 'RULES', 'CASES', 'AGREE WITH A PERSON', 'FALSE RIGHT', 'MISSED RIGHT', 'AGREE WITH OURS'];

/** What one ruler said of some cases. */
interface Outcome {
  kind: string;
  ruler: string;
  cases: Case[];
  said: boolean[];
}

const { smoke, show } = new Command('bench:scoring')
  .description('Rules the same answers by our rules, by math-verify and by those of evaluation harnesses.')
  .option('--smoke', `${SMOKE} cases of each set: whether it runs, not who is right`, false)
  .option('--show', 'also prints every answer that our rules and a person do not agree on', false)
  .parse()
  .opts<{ smoke: boolean; show: boolean }>();

for (const [name, all] of [
  ['recorded', recordedCases()],
  ['generated', generatedCases(GENERATED)],
] as const) {
  const cases = smoke ? everyNth(all, SMOKE) : all;
  const outcomes = await compare(cases);
  say(`\n${cases.length} ${name} answers\n`);
  for (const line of formatTable(HEADER, outcomes.map(row))) say(line);
  if (show) for (const outcome of outcomes.filter(({ ruler }) => ruler === 'ours')) sayDisagreements(outcome);
}

async function compare(cases: readonly Case[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const kind of [...new Set(cases.map(({ truth }) => truth.kind))].sort()) {
    const ofKind = cases.filter(({ truth }) => truth.kind === kind);
    const add = (ruler: string, said: boolean[]) => outcomes.push({ kind, ruler, cases: ofKind, said });
    add(
      'ours',
      ofKind.map(({ answer, truth }) => ours(answer, truth)),
    );
    if (isMathematics(kind)) add('math-verify', await mathVerify(ofKind));
    for (const [name, ruler] of Object.entries(rulersFor(kind))) {
      add(
        name,
        ofKind.map(({ answer, truth }) => ruler(answer, truth)),
      );
    }
  }
  return outcomes;
}

function isMathematics(kind: Truth['kind']): boolean {
  return kind === 'number' || kind === 'exact-number' || kind === 'expression';
}

async function mathVerify(cases: readonly Case[]): Promise<boolean[]> {
  const pairs = cases.map(({ answer, truth }) => [String((truth as { value: string | number }).value), answer]);
  const { code, output } = await askPython({ module: 'bench.scoring', args: [], env: {} }, JSON.stringify(pairs));
  if (code !== 0) throw new Error(`math-verify ended with exit code ${code}, for the reason above.`);
  return (JSON.parse(output) as (boolean | null)[]).map((said) => said === true);
}

function row({ kind, ruler, cases, said }: Outcome, _: number, all: Outcome[]): string[] {
  const count = (hits: (one: Case, index: number) => boolean) => String(cases.filter(hits).length);
  const oursSaid = all.find((other) => other.kind === kind && other.ruler === 'ours')!.said;
  return [
    kind,
    ruler,
    String(cases.length),
    count(({ isRight }, i) => said[i] === isRight),
    count(({ isRight }, i) => said[i] && !isRight),
    count(({ isRight }, i) => !said[i] && isRight),
    count((_case, i) => said[i] === oursSaid[i]),
  ];
}

function sayDisagreements({ cases, said }: Outcome): void {
  for (const [i, { answer, truth, isRight }] of cases.entries()) {
    if (said[i] !== isRight) say(`${isRight ? 'missed' : 'false right'}: ${JSON.stringify([answer, truth])}`);
  }
}

function everyNth<Item>(items: readonly Item[], count: number): Item[] {
  return items.filter((_, index) => index % Math.ceil(items.length / count) === 0);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
