import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArmResult, Measured } from './run-arm.js';

/** What one seed's file holds. */
export interface SeedResults {
  seed: number;
  steps: number;
  arms: Record<string, ArmResult>;
}

/** The results of every seed, ascending. */
export async function readResults(directory: string): Promise<SeedResults[]> {
  const names = (await readdir(directory)).filter((name) => /^seed-\d+\.json$/.test(name));
  const files = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
  return files.map((text) => JSON.parse(text) as SeedResults).toSorted((a, b) => a.seed - b.seed);
}

/** A Markdown table: a line per seed and arm, the untrained planner first. */
export function resultsTable(seeds: readonly SeedResults[]): string {
  const families = Object.keys(Object.values(seeds[0].arms)[0].after.by_family);
  const header = ['seed', 'planner', 'held-out accuracy (95 %)', ...families, 'turns', 'tools', 'time'];
  const rows = seeds.flatMap(({ seed, steps, arms }) => {
    const [first] = Object.values(arms);
    return [
      row(seed, 'untrained', first.before, families),
      ...Object.entries(arms).map(([name, { after, seconds }]) =>
        row(seed, `${name}, ${steps} steps`, after, families, seconds),
      ),
    ];
  });
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function row(seed: number, planner: string, measured: Measured, families: readonly string[], seconds?: number) {
  const { accuracy, interval, by_family, mean_turns, tool_mix } = measured;
  return [
    String(seed),
    planner,
    `${accuracy.toFixed(3)} (${interval.map((bound) => bound.toFixed(2)).join(' to ')})`,
    ...families.map((family) => by_family[family].accuracy.toFixed(2)),
    mean_turns.toFixed(2),
    shares(tool_mix),
    seconds === undefined ? '' : `${Math.round(seconds / 60)} min`,
  ];
}

/** Calls per tool, most frequent first, as shares of all turns. */
function shares(mix: Record<string, number>): string {
  const total = Object.values(mix).reduce((sum, count) => sum + count, 0);
  const sorted = Object.entries(mix).toSorted(([, a], [, b]) => b - a);
  return sorted.map(([tool, count]) => `${tool} ${Math.round((100 * count) / total)} %`).join(', ');
}
