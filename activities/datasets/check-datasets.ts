import type { DatasetRegistrations } from '../../infra/config/operator/datasets.js';
import type { DatasetCheck } from '../../workflows/contracts/dataset-check.js';
import { atlas } from './atlas/atlas.dataset.js';
import { ItemStore } from './items/item-store.js';

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
    const { training, heldOut, repeated, leftOut, unreadable, overlapping, sha256 } = await store.load(name);
    const families: Record<string, number> = {};
    for (const { family } of [...training, ...heldOut]) families[family] = (families[family] ?? 0) + 1;
    return {
      name,
      training: training.length,
      heldOut: heldOut.length,
      families,
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

function countBy(overlaps: readonly { benchmark: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { benchmark } of overlaps) counts[benchmark] = (counts[benchmark] ?? 0) + 1;
  return counts;
}
