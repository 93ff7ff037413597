import { describe, expect, it } from '@jest/globals';
import { atlas } from '../../datasets/atlas/atlas.dataset.js';
import { ATTRIBUTES, buildWorld } from '../../datasets/atlas/world.js';
import { PassageIndex } from './passage-index.js';

const index = new PassageIndex(atlas.passages(7));
const { facts } = buildWorld(7);
const sentence = (attribute: (typeof ATTRIBUTES)[number], place: string) =>
  `The ${attribute} of ${place} is ${facts.get(place)?.[attribute]}.`;

describe('lookup', () => {
  it('returns the one sentence that a query names, for every fact of the world', () => {
    for (const place of facts.keys()) {
      for (const attribute of ATTRIBUTES) {
        const expected = [sentence(attribute, place)];
        expect(index.search(`${attribute} of ${place}`)).toEqual(expected);
        expect(index.search(`What is the ${attribute} of ${place} times 7?`)).toEqual(expected);
        expect(index.search(`${place.toLowerCase()} ${attribute.toUpperCase()}`)).toEqual(expected);
      }
    }
  });

  it('returns both sentences of a query that names two', () => {
    const [one, other] = [...facts.keys()];
    expect(index.search(`area of ${one} plus area of ${other}`).sort()).toEqual(
      [sentence('area', one), sentence('area', other)].sort(),
    );
  });

  it('forgives one wrong letter in a name', () => {
    const place = [...facts.keys()][0];
    const found = index.search(`area of ${place.slice(0, -2)}${place.slice(-1)}`);
    expect(found).toContain(sentence('area', place));
  });

  it('returns at most three passages, and none where nothing matches', () => {
    expect(index.search('population')).toHaveLength(3);
    expect(index.search('what is the')).toEqual([]);
    expect(index.search('zzzzqqqq')).toEqual([]);
  });
});
