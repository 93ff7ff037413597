import { randomStream } from '../random.js';
import { placeNames } from './names.js';

export const ATTRIBUTES = ['population', 'area', 'height', 'budget'] as const;
export type Attribute = (typeof ATTRIBUTES)[number];

export const TRAINING_PLACES = 40;
export const HELD_OUT_PLACES = 20;

/** Every fact of the made-up world. The two lists of places are disjoint. */
export interface World {
  training: string[];
  heldOut: string[];
  facts: ReadonlyMap<string, Readonly<Record<Attribute, number>>>;
}

/** A pure function of the dataset's seed. Values are integers from 100 to 9999, so that no model can know them. */
export function buildWorld(seed: number): World {
  const places = placeNames(randomStream('atlas/places', seed), TRAINING_PLACES + HELD_OUT_PLACES);
  const values = randomStream('atlas/facts', seed);
  const facts = new Map(
    places.map((place) => [
      place,
      {
        population: values.integer(100, 9999),
        area: values.integer(100, 9999),
        height: values.integer(100, 9999),
        budget: values.integer(100, 9999),
      },
    ]),
  );
  return { training: places.slice(0, TRAINING_PLACES), heldOut: places.slice(TRAINING_PLACES), facts };
}

export function factOf(world: World, place: string, attribute: Attribute): number {
  const facts = world.facts.get(place);
  if (!facts) throw new Error(`The atlas has no place called ${place}.`);
  return facts[attribute];
}
