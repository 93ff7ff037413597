import { randomStream, type RandomStream } from '../random.js';
import type { Passage } from '../dataset.js';
import { ATTRIBUTES, factOf, type World } from './world.js';

/** Colour holds no digit and no attribute's name: a search for a fact finds the fact. */
const SETTINGS = [
  'lies among low hills beside a slow river',
  'stands on a chalk ridge above the marshes',
  'hides in a wooded valley far from the coast',
  'looks over a cold bay dotted with islets',
  'sits where two old roads cross on the moor',
  'spreads along the shore of a narrow lake',
];
const CUSTOMS = [
  'is known for its lantern festival in late autumn',
  'trades in wool, honey and carved oak',
  'keeps a bell tower that leans towards the market',
  'is proud of its orchards and of its brass band',
  'was founded by ferrymen and still elects a harbour master',
  'is said to have the friendliest bakers in the land',
];

/** One passage per sentence of each place's article: colour, a fact per attribute, colour. */
export function articlePassages(world: World, seed: number): Passage[] {
  const colour = randomStream('atlas/colour', seed);
  return [...world.facts.keys()].flatMap((place) =>
    articleSentences(world, place, colour).map((text, index) => ({ id: `${place}/${index}`, title: place, text })),
  );
}

function articleSentences(world: World, place: string, colour: RandomStream): string[] {
  return [
    `${place} ${colour.pick(SETTINGS)}.`,
    ...ATTRIBUTES.map((attribute) => `The ${attribute} of ${place} is ${factOf(world, place, attribute)}.`),
    `${place} ${colour.pick(CUSTOMS)}.`,
  ];
}
