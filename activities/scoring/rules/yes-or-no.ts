import { CLAUSE } from '../reading/clauses.js';

const FIRST_CLAUSE = /^(yes|no)(?:\s*[,;:]\s+|\s*[.!]\s+|\s+[-–—]\s+|\s*—\s*)(?!\d)(\S[\s\S]*)$/i;
/** What makes it another statement: the other side, or that nobody knows. */
const ANOTHER =
  /(?<!\p{L})(?:cannot|can't|could not|couldn't|unable|unknown|unclear|uncertain|unsure|undetermined|insufficient|impossible to|not (?:\w+ )?(?:known|determined|found|enough|sure|certain|clear|possible|available|provided|mentioned|stated|given|specified)|no (?:\w+ )?(?:information|answer|evidence|data|results?|mention|way)|wait|actually|however|correction|unless|depends|maybe|perhaps|but)(?!\p{L})/iu;

/**
 * Which of yes and no a text says: all of it is the word, or its first clause is and the rest explains it. `No, they were
 * not.` says no; `No information found`, `No Doubt`, `No. 7`, `Yes, Minister` and `Yes and no` say neither.
 */
export function sideOf(text: string): 'yes' | 'no' | undefined {
  const whole = /^(yes|no)[.!]?$/i.exec(text.trim());
  const clause = whole ?? FIRST_CLAUSE.exec(text.trim());
  if (!clause) return undefined;
  const side = clause[1].toLowerCase() as 'yes' | 'no';
  const rest = clause[2] as string | undefined;
  if (rest === undefined) return side;
  const other = side === 'yes' ? /(?<!\p{L})no(?!\p{L})/iu : /(?<!\p{L})yes(?!\p{L})/iu;
  return CLAUSE.test(rest) && !ANOTHER.test(rest) && !other.test(rest) ? side : undefined;
}
