import type { DatasetRegistrations } from '../../infra/config/operator/datasets.js';
import type { DatasetCheck } from '../../contracts/dataset-check.js';
import { atlas } from './atlas/atlas.dataset.js';
import { findingsOf } from './findings.js';
import type { Item } from './items/item.js';
import { ItemStore } from './items/item-store.js';
import { licenceBeside } from './licence.js';

const SHOWN = 20;

/** Reads datasets whole and tells what is in them, without any truth. Every name by default; of a mix, its parts. */
export async function checkDatasets(
  registrations: DatasetRegistrations,
  names: readonly string[],
): Promise<DatasetCheck[]> {
  const store = new ItemStore(registrations);
  const wanted = names.length > 0 ? names : Object.keys(registrations);
  const checks: DatasetCheck[] = [];
  for (const name of new Set(wanted.flatMap((one) => partsOf(registrations, one)))) {
    checks.push(await checkDataset(store, name));
  }
  return checks;
}

function partsOf(registrations: DatasetRegistrations, name: string): string[] {
  const registration = Object.hasOwn(registrations, name) ? registrations[name] : undefined;
  return registration?.kind === 'mix' ? Object.keys(registration.mix) : [name];
}

async function checkDataset(store: ItemStore, name: string): Promise<DatasetCheck> {
  const names = Object.keys(store.registrations);
  if (!names.includes(name))
    return { name, problem: `It is not registered. Registered datasets: ${names.join(', ')}.` };
  if (name === atlas.name) return { name, madeUp: true };
  try {
    const { training, heldOut, repeated, leftOut, unreadable, notes, overlapping, sha256 } = await store.load(name);
    const items = [...training, ...heldOut];
    const registration = store.registrations[name];
    const families: Record<string, number> = {};
    for (const { family } of items) families[family] = (families[family] ?? 0) + 1;
    return {
      name,
      training: training.length,
      heldOut: heldOut.length,
      families,
      characters: lengthsOf(items),
      licence: 'path' in registration ? await licenceBeside(registration.path) : { files: [] },
      notes,
      findings: findingsOf(items),
      repeated,
      leftOut,
      unreadable: { count: unreadable.length, first: unreadable.slice(0, SHOWN) },
      overlapping: { count: overlapping.length, byBenchmark: countBy(overlapping), first: overlapping.slice(0, SHOWN) },
      sha256,
    };
  } catch (error) {
    return { name, problem: (error as Error).message };
  }
}

function lengthsOf(items: readonly Item[]): { median: number; p95: number; longest: number } {
  const lengths = items.map(({ question }) => [...question].length).sort((a, b) => a - b);
  const at = (share: number): number => lengths[Math.min(lengths.length - 1, Math.floor(share * lengths.length))] ?? 0;
  return { median: at(0.5), p95: at(0.95), longest: at(1) };
}

function countBy(overlaps: readonly { benchmark: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { benchmark } of overlaps) counts[benchmark] = (counts[benchmark] ?? 0) + 1;
  return counts;
}
