import { CLAUSE } from '../reading/clauses.js';
import { isUnsure } from '../reading/denial.js';

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
  /^(?:(?:because|since|as)\s+)?(?:(?:he|she|it|they|this|that|these|those|there|both|neither|its|his|her|their|only|one (?:is|was))(?!\p{L})|(?:the )?(?:two|first|second|latter|former|directors?|authors?|films?|movies?|bands?|books?|writers?|actors?|companies|cities|countries|magazines?|people|men|women)(?!\p{L})|(?:[Tt]he )?(?!The(?!\p{L}))\p{Lu}|\p{Ll}(?!\p{L}))/u;
/** `if he was born there`, `either is possible`, `Wikipedia has no page on it`, `one is French`. */
const OPEN = /(?<!\p{L})(?:if|either|possible|necessarily|has no|have no|had no|page|steps?|server|tool)(?!\p{L})/iu;
/** Of something that is not named, only what it is, or is not, or did: `it is not`, `it is in France`. */
const UNNAMED = /^(?:(?:because|since|as)\s+)?(?:it|this|that|there)(?!\p{L})/iu;
const PLAIN = /^\p{L}+ (?:is|was|does|did|has|had|will|can)(?:n't| not)?[.!]?$/iu;
/** Who is compared may be anything. */
const COMPARED = /(?<!\p{L})(?:both|neither|only|one (?:is|was|of)|the other)(?!\p{L})/iu;
/** What somebody is, behind the verb: nothing, a likeness, what people and works are, or what is said of a name. */
const PREDICATE =
  /^(?:$|[.!,;]|(?:(?:all|also|each|either|indeed) )*(?:(?:same|the same|different|older|younger|taller|larger|bigger|longer|shorter|earlier|later|before|after|born|founded|located|based|directed|written|released|published|made|established|produced|formed|alive|dead|alike)(?!\p{L})|(?:an? |the )?(?:\p{Ll}+ )?(?:members?|parts?|bands?|films?|movies?|novels?|books?|songs?|magazines?|writers?|authors?|directors?|actors?|actress(?:es)?|singers?|politicians?|people|city|cities|country|countries|lakes?|rivers?)(?!\p{L})))/iu;
const OF_NAME = /^(?:(?:all|also|each|in|from|on|at|of|by|an?|the) )*(?:\p{Lu}|\p{N})/u;
/** `they are not listed here`: what nobody did says that nothing was found, unless it is in common. */
const UNDONE = /(?:not|n't|never)(?: been)? (?:\p{L}+ly )?\p{L}+(?:ed|en|wn)(?!\p{L})/iu;
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
  if (!isClause || [ANOTHER, OF_ITSELF, OPEN].some((pattern) => pattern.test(rest)) || isUnsure(rest)) return false;
  const said = rest.replace(/^[\s,;:]+/, '');
  const predicate = /(?<!\p{L})(?:is|was|are|were)(?:n't| not)?(?!\p{L})\s*(.*)$/iu.exec(said)?.[1] ?? '';
  const isOfName = OF_NAME.test(predicate);
  if (UNNAMED.test(said) && !PLAIN.test(said) && !isOfName) return false;
  if (!COMPARED.test(said) && !PREDICATE.test(predicate) && !isOfName) return false;
  if (UNDONE.test(rest) && !SAME.test(rest) && !DIFFERENT.test(rest)) return false;
  if (side === 'yes') return !NEGATED.test(rest) && !DIFFERENT.test(rest);
  return !/(?<!\p{L})yes(?!\p{L})|(?:not|n't) no(?!\p{L})/iu.test(rest) && (NEGATED.test(rest) || !SAME.test(rest));
}
