import type { Query } from '../../contracts/flow.js';
import { atlas } from './atlas/atlas.dataset.js';
import type { Passage } from './dataset.js';

/** The texts that belong to a question's dataset, of both splits; empty where a dataset has questions only. */
export function passagesOf({ name, seed }: Query['dataset']): Passage[] {
  return name === atlas.name ? atlas.passages(seed) : [];
}
