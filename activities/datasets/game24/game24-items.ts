import type { Item } from '../items/item.js';
import { solvableQuadruples } from './solvable.js';

/** Every solvable game of 24. Its truth is a rule, not a list of solutions. */
export function game24Items(): Item[] {
  return solvableQuadruples().map((numbers) => ({
    id: `game24:${numbers.join('-')}`,
    question:
      `Make 24 of the numbers ${numbers.join(', ')}. ` +
      'Use each of them exactly once, and +, -, *, / and parentheses only.',
    family: 'game of 24',
    truth: { kind: 'twenty-four', numbers },
  }));
}
