import { randomStream, type RandomStream } from '../random.js';

export const ATTRIBUTES = ['population', 'area', 'height', 'budget'] as const;
export type Attribute = (typeof ATTRIBUTES)[number];

export const TRAINING_PLACES = 40;
export const HELD_OUT_PLACES = 20;

const STEMS =
  'Ald Bar Bram Cald Cors Drav Dun Els Far Fenn Glen Gris Harb Hex Ing Jar Kel Kest Lind Lor Mar Mord Ness Nor Pell Pen Quar Rav Ros Sel Stav Thorn Tor Ulv Var Wes Wyv Yar Yel Zel'.split(
    ' ',
  );
const ENDINGS = 'burn by combe dale fold ford gate holm ley mere stead ton wick worth'.split(' ');

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

/** `count` different made-up place names, each one capitalised word. */
function placeNames(random: RandomStream, count: number): string[] {
  const names = STEMS.flatMap((stem) => ENDINGS.map((ending) => stem + ending));
  return random.shuffle(names).slice(0, count);
}
