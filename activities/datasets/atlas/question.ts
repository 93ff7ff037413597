import type { RandomStream } from '../random.js';
import { ATTRIBUTES, factOf, type Attribute, type World } from './world.js';

/** In canonical order: evaluation takes the configured families in turn in this order. */
export const FAMILIES = ['arithmetic', 'lookup', 'two-hop', 'comparison', 'sum'] as const;
export type Family = (typeof FAMILIES)[number];

const OPERATORS = ['plus', 'minus', 'times'] as const;
export type Operator = (typeof OPERATORS)[number];

/** What a question asks, before it is put into words. It holds no answer. */
export type Question =
  | { family: 'arithmetic'; left: number; operator: Operator; right: number }
  | { family: 'lookup'; place: string; attribute: Attribute }
  | { family: 'two-hop'; place: string; attribute: Attribute; operator: Operator; right: number }
  | { family: 'comparison'; attribute: Attribute; larger: string; smaller: string }
  | { family: 'sum'; attribute: Attribute; first: string; second: string };

/** A place and one of its attributes. */
export type Subject = [place: string, attribute: Attribute];

/** Composes a question of a family about `[place, attribute]` and, where two places are needed, one more of `places`. */
export function composeQuestion(
  family: Family,
  world: World,
  places: readonly string[],
  [place, attribute]: Subject,
  random: RandomStream,
): Question {
  switch (family) {
    case 'arithmetic':
      return { family, left: random.integer(11, 999), ...operation(random) };
    case 'lookup':
      return { family, place, attribute };
    case 'two-hop':
      return { family, place, attribute, ...operation(random) };
    case 'comparison': {
      const other = anotherPlace(places, place, random);
      const ascending = factOf(world, place, attribute) < factOf(world, other, attribute);
      return { family, attribute, larger: ascending ? other : place, smaller: ascending ? place : other };
    }
    case 'sum':
      return { family, attribute, first: place, second: anotherPlace(places, place, random) };
  }
}

export function everySubject(places: readonly string[]): Subject[] {
  return places.flatMap((place) => ATTRIBUTES.map((attribute): Subject => [place, attribute]));
}

/** The wording is fixed per family; the oracle planner and the scripted verifier read it. */
export function wordQuestion(question: Question): string {
  switch (question.family) {
    case 'arithmetic':
      return `What is ${question.left} ${question.operator} ${question.right}?`;
    case 'lookup':
      return `What is the ${question.attribute} of ${question.place}?`;
    case 'two-hop':
      return `What is the ${question.attribute} of ${question.place} ${question.operator} ${question.right}?`;
    case 'comparison':
      return `How much larger is the ${question.attribute} of ${question.larger} than the ${question.attribute} of ${question.smaller}?`;
    case 'sum':
      return `What is the ${question.attribute} of ${question.first} plus the ${question.attribute} of ${question.second}?`;
  }
}

function operation(random: RandomStream): { operator: Operator; right: number } {
  const operator = random.pick(OPERATORS);
  return { operator, right: operator === 'times' ? random.integer(2, 99) : random.integer(11, 999) };
}

function anotherPlace(places: readonly string[], place: string, random: RandomStream): string {
  return random.pick(places.filter((candidate) => candidate !== place));
}
