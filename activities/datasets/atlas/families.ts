import type { RunConfig } from '../../../workflows/contracts/run-config.js';
import { randomStream } from '../random.js';
import { FAMILIES, type Family } from './question.js';

const DEFAULT_FAMILIES: readonly Family[] = ['arithmetic', 'lookup', 'two-hop'];
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;

/** The families a configuration asks for, in canonical order. */
export function configuredFamilies(dataset: RunConfig['dataset']): readonly Family[] {
  const weights = dataset.families;
  const named = FAMILIES.filter((family) => weights?.[family] !== undefined);
  return named.length > 0 ? named : DEFAULT_FAMILIES;
}

/**
 * The family of a draw, by weight. Draws of one step walk the unit interval in golden-ratio strides from a random
 * start: any number of draws comes close to the weights, which independent choices would miss in small batches.
 */
export function drawFamily(dataset: RunConfig['dataset'], runSeed: number, step: number, index: number): Family {
  const families = configuredFamilies(dataset);
  const weights = families.map((family) => dataset.families?.[family] ?? 1);
  const start = randomStream('atlas/family', dataset.seed, runSeed, step).fraction();
  let left = ((start + index * GOLDEN_RATIO) % 1) * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [position, family] of families.entries()) {
    left -= weights[position];
    if (left < 0) return family;
  }
  return families[families.length - 1];
}
