import { game24Item } from '../game24/game24-items.js';
import { needTexts, RowError, textOf, type Row } from '../rows/rows.js';
import type { Format } from './format.js';

const NUMBERS = ['Puzzles', 'puzzle', 'numbers', 'question', 'nums', 'input'];
const RANKS = ['Rank', 'rank'];

/**
 * Games of 24 from a file: four numbers in a list or a text, as in the published table of 1,362, whose ranks 901 to 1,000
 * are the usual test set. Games of other ranks, and such that the file says have no solution, are left out.
 */
export function game24(ranks: readonly [number, number] | undefined): Format {
  return {
    columns: [...NUMBERS, ...RANKS, 'solvable'],
    read: (row) => {
      const rank = textOf(row, ...RANKS);
      if (ranks && rank === undefined) throw new RowError(`has no ${RANKS.join(' or ')}`);
      if (ranks && (Number(rank) < ranks[0] || Number(rank) > ranks[1])) return undefined;
      if (textOf(row, 'solvable')?.toLowerCase() === 'false') return undefined;
      return game24Item(numbersOf(row));
    },
  };
}

function numbersOf(row: Row): number[] {
  const column = NUMBERS.find((one) => row[one] !== undefined) ?? NUMBERS[0];
  const numbers = needTexts(row, column).flatMap((text) => text.match(/\d+/g) ?? []);
  if (numbers.length !== 4) throw new RowError(`has ${numbers.length} numbers in ${column}, and not four`);
  return numbers.map(Number).sort((a, b) => a - b);
}
