import type { RunConfig } from '../../../contracts/run-config.js';
import { randomStream } from '../random.js';
import { weightedTurn } from '../weighted-turn.js';
import { FAMILIES, type Family } from './question.js';

const DEFAULT_FAMILIES: readonly Family[] = ['arithmetic', 'lookup', 'two-hop'];

/** The families a configuration asks for, in canonical order. */
export function configuredFamilies(dataset: RunConfig['dataset']): readonly Family[] {
  const weights = dataset.families;
  const named = FAMILIES.filter((family) => weights?.[family] !== undefined);
  return named.length > 0 ? named : DEFAULT_FAMILIES;
}

/** The family of a draw, by weight. */
export function drawFamily(dataset: RunConfig['dataset'], runSeed: number, step: number, index: number): Family {
  const families = configuredFamilies(dataset);
  const weights = families.map((family) => dataset.families?.[family] ?? 1);
  const start = randomStream('atlas/family', dataset.seed, runSeed, step).fraction();
  return families[weightedTurn(weights, start, index)];
}
