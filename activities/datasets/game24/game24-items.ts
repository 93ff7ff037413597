import type { Item, ParsedItem } from '../items/item.js';
import { solvableQuadruples } from './solvable.js';

/** Every solvable game of 24. */
export function game24Items(): Item[] {
  return solvableQuadruples().map((numbers) => {
    const item = game24Item(numbers);
    return { ...item, id: `game24:${item.id}` };
  });
}

/** A game of four numbers, ascending. Its truth is a rule, not a list of solutions. */
export function game24Item(numbers: number[]): ParsedItem & { id: string } {
  return {
    id: numbers.join('-'),
    question:
      `Make 24 of the numbers ${numbers.join(', ')}. ` +
      'Use each of them exactly once, and +, -, *, / and parentheses only.',
    family: 'game of 24',
    truth: { kind: 'twenty-four', numbers },
  };
}
