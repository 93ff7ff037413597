import type { DatasetRegistrations } from '../../infra/config/operator/datasets.js';
import type { DatasetCheck, DatasetReport } from '../../contracts/dataset-check.js';
import { atlas } from './atlas/atlas.dataset.js';
import { findingsOf } from './findings.js';
import type { Item } from './items/item.js';
import { ItemStore } from './items/item-store.js';
import { lengthsOf, tokenLengths, type TokenCounts } from './lengths.js';
import { licenceBeside } from './licence.js';

const SHOWN = 20;

type CountTokens = (questions: readonly string[]) => Promise<TokenCounts>;

/**
 * Reads datasets whole and tells what is in them, without any truth. Every name by default; of a mix, its parts.
 * @param count counts tokens, of all questions at once, if their lengths in tokens are wanted
 */
export async function checkDatasets(
  registrations: DatasetRegistrations,
  names: readonly string[],
  count?: CountTokens,
): Promise<DatasetCheck[]> {
  const store = new ItemStore(registrations);
  const wanted = names.length > 0 ? names : Object.keys(registrations);
  const checks: DatasetCheck[] = [];
  for (const name of new Set(wanted.flatMap((one) => partsOf(registrations, one)))) {
    checks.push(await checkDataset(store, name));
  }
  return count ? withTokens(store, checks, count) : checks;
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
    const items = await itemsOf(store, name);
    const registration = store.registrations[name];
    return {
      name,
      training: training.length,
      heldOut: heldOut.length,
      families: countBy(items.map(({ family }) => family)),
      characters: lengthsOf(items.map(({ question }) => [...question].length)),
      licence: 'path' in registration ? await licenceBeside(registration.path) : { files: [] },
      notes,
      findings: findingsOf(items),
      repeated,
      leftOut,
      unreadable: { count: unreadable.length, first: unreadable.slice(0, SHOWN) },
      overlapping: {
        count: overlapping.length,
        byBenchmark: countBy(overlapping.map(({ benchmark }) => benchmark)),
        first: overlapping.slice(0, SHOWN),
      },
      sha256,
    };
  } catch (error) {
    return { name, problem: (error as Error).message };
  }
}

/** Training questions, then held-out ones. */
async function itemsOf(store: ItemStore, name: string): Promise<Item[]> {
  const { training, heldOut } = await store.load(name);
  return [...training, ...heldOut];
}

/**
 * The same with lengths in tokens. The questions of all datasets are counted in one call: a tokenizer takes seconds to
 * load.
 */
async function withTokens(store: ItemStore, checks: DatasetCheck[], count: CountTokens): Promise<DatasetCheck[]> {
  const lists = await Promise.all(checks.map(async (check) => (isReport(check) ? itemsOf(store, check.name) : [])));
  const questions = lists.flatMap((items) => items.map(({ question }) => question));
  if (questions.length === 0) return checks;
  const counts = await count(questions);
  let next = 0;
  return checks.map((check, index) => {
    const items = lists[index];
    if (items.length === 0) return check;
    const own = counts.questions.slice(next, (next += items.length));
    return { ...check, tokens: tokenLengths(items, { ...counts, questions: own }) };
  });
}

function isReport(check: DatasetCheck): check is DatasetReport {
  return check.problem === undefined && !check.madeUp;
}

export function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
