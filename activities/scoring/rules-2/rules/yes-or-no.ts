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
/** A pronoun, a name, or the two that a question compares: who else is spoken of is not what was asked about. */
const SUBJECT =
  /^(?:(?:because|since|as)\s+)?(?:(?:he|she|it|they|this|that|these|those|there|both|neither|its|his|her|their|only one of)(?!\p{L})|(?:the )?(?:two|first|second|latter|former)(?!\p{L})|(?:[Tt]he )?\p{Lu})/u;
/** `if he was born there`, `either is possible`, `Wikipedia has no page on it`, `one is French`. */
const OPEN = /(?<!\p{L})(?:if|either|possible|necessarily|has no|have no|had no|page|steps?|server|tool)(?!\p{L})/iu;
const DIFFERENT =
  /(?<!\p{L})(?:different|differs?|differed|distinct|unlike|while|whereas|(?:only )?one (?:is|was|of)|(?:is|was)\s+(?:an?\s+)?(\p{L}+),?\s+and\s.{1,60}?\s(?:is|was)\s+(?!(?:also\s+)?(?:an?\s+)?\1))/iu;
const SAME = /(?<!\p{L})(?:both|same|shares?|shared|alike|identical|in common)(?!\p{L})/iu;
const OPENING = /^(?:so|thus|hence|therefore),?\s+(?=(?:yes|no)(?!\p{L}))/iu;
/** `Both directors are American, so yes.` */
const LAST_CLAUSE = /^(\S[^\n]*?),\s+(?:so|thus|hence|therefore),?\s+(yes|no)[.!]?$/i;

/**
 * Which of yes and no a text says: all of it is the word, or its first clause is and the rest explains it. `No, they were
 * not.` says no; `No information found`, `No Doubt`, `No. 7`, `Yes, Minister`, `Yes and no`, `Yes, that is false` and `No, the
 * passages do not say` say neither. What explains is a sentence about those that the question is about; words of difference
 * do not explain yes, and words of sameness do not explain no.
 */
export function sideOf(text: string): 'yes' | 'no' | undefined {
  const said = text.trim().replace(OPENING, '');
  const whole = /^(yes|no)[.!]?$/i.exec(said);
  if (whole) return whole[1].toLowerCase() as 'yes' | 'no';
  const [side, rest] = FIRST_CLAUSE.exec(said)?.slice(1) ?? LAST_CLAUSE.exec(said)?.slice(1).reverse() ?? [];
  if (side === undefined) return undefined;
  const lower = side.toLowerCase() as 'yes' | 'no';
  return explains(rest.replace(SOURCE, ''), lower) ? lower : undefined;
}

function explains(rest: string, side: 'yes' | 'no'): boolean {
  const isClause = CLAUSE.test(rest) && SUBJECT.test(rest.replace(/^[\s,;:]+/, ''));
  if (!isClause || [ANOTHER, OF_ITSELF, TAKEN_BACK, OPEN].some((pattern) => pattern.test(rest))) return false;
  if (side === 'yes') return !NEGATED.test(rest) && !DIFFERENT.test(rest);
  return !/(?<!\p{L})yes(?!\p{L})|(?:not|n't) no(?!\p{L})/iu.test(rest) && (NEGATED.test(rest) || !SAME.test(rest));
}
