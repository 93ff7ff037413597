import type { Ruling } from '../../../../contracts/scoring.js';

/** What a rule found. */
export interface Finding {
  ruling: Ruling;
  f1?: number;
}

export const RIGHT: Finding = { ruling: 'right' };
export const WRONG: Finding = { ruling: 'wrong' };
export const UNDECIDED: Finding = { ruling: 'undecided' };

export function ruled(isRight: boolean): Finding {
  return isRight ? RIGHT : WRONG;
}
