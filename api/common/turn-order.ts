import type { Turn } from '../../infra/database/entities/index.js';

/** Modules in the order in which a flow calls them, in a turn and around the turns. */
const BEFORE_TURNS = ['query_analysis'];
const IN_TURN = ['planner', 'executor', 'verifier'];

/** A flow's rows in the order in which it makes them, told from their contents and not from the time of writing. */
export function inOrder<Row extends Pick<Turn, 'turn' | 'module'>>(rows: readonly Row[]): Row[] {
  return rows.toSorted((a, b) => {
    const [first, second] = [placeOf(a), placeOf(b)];
    return first[0] - second[0] || first[1] - second[1] || (a.module < b.module ? -1 : 1);
  });
}

/** Turn and place in it. Answers and the judge, which numbers its calls from turn 0, come after all turns. */
function placeOf({ turn, module }: Pick<Turn, 'turn' | 'module'>): [number, number] {
  if (BEFORE_TURNS.includes(module)) return [-1, 0];
  const place = IN_TURN.indexOf(module);
  return place < 0 ? [Infinity, module === 'judge' ? 1 + turn : 0] : [turn, place];
}
