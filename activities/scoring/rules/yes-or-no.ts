import { CLAUSE, TAKEN_BACK } from '../reading/clauses.js';

const FIRST_CLAUSE =
  /^(yes|no)(?:\s*[,;:]\s+|\s*[.!]\s+|\s+[-–—]\s+|\s*—\s*|\s*\n\s*|\s+(?=(?:because|since|as)\s))(?!\d)(\S[\s\S]*)$/i;
/** What makes it another statement: the other side, or that nobody knows. */
const ANOTHER =
  /(?<!\p{L})(?:cannot|can't|could not|couldn't|unable|unknown|unclear|uncertain|unsure|undetermined|insufficient|impossible to|not (?:\w+ )?(?:known|determined|found|enough|sure|certain|clear|possible|available|provided|mentioned|stated|given|specified)|no (?:\w+ )?(?:information|answer|evidence|data|results?|mention|way)|wait|actually|however|correction|unless|depends|maybe|perhaps|but)(?!\p{L})/iu;

/** Who speaks of himself, or of what he read, says nothing of the question: `I can help`, `the passages do not say`. */
const OF_ITSELF =
  /(?<!\p{L})(?:I|I'm|I've|me|my|questions?|answers?|passages?|context|documents?|texts?|articles?|sources?|snippets?|data|information|evidence|results?|nothing|ambiguous|silent|enough)(?!\p{L})/u;
const SOURCE =
  /(?<!\p{L})(?:according to|based on|as (?:stated|mentioned|given) in|from|in|per) (?:the |these |this )?(?:\p{L}+ )?(?:passages?|context|documents?|texts?|articles?|sources?|snippets?|data|information|evidence|results?)(?!\p{L})/giu;
const NEGATED =
  /(?<!\p{L})(?:not|no|never|none|nor|neither|nobody|nothing|false|untrue|incorrect|wrong)(?!\p{L})|n't(?!\p{L})/iu;

/**
 * Which of yes and no a text says: all of it is the word, or its first clause is and the rest explains it. `No, they were
 * not.` says no; `No information found`, `No Doubt`, `No. 7`, `Yes, Minister`, `Yes and no`, `Yes, that is false` and `No, the
 * passages do not say` say neither.
 */
export function sideOf(text: string): 'yes' | 'no' | undefined {
  const whole = /^(yes|no)[.!]?$/i.exec(text.trim());
  const clause = whole ?? FIRST_CLAUSE.exec(text.trim());
  if (!clause) return undefined;
  const side = clause[1].toLowerCase() as 'yes' | 'no';
  const rest = clause[2] as string | undefined;
  return rest === undefined || explains(rest.replace(SOURCE, ''), side) ? side : undefined;
}

function explains(rest: string, side: 'yes' | 'no'): boolean {
  if (!CLAUSE.test(rest) || ANOTHER.test(rest) || OF_ITSELF.test(rest) || TAKEN_BACK.test(rest)) return false;
  return side === 'yes' ? !NEGATED.test(rest) : !/(?<!\p{L})yes(?!\p{L})|(?:not|n't) no(?!\p{L})/iu.test(rest);
}
