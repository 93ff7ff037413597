import { followsNumber } from '../rules/said-number.js';
import { CROSS, EXPLAINS, HAVING } from './clauses.js';
import { isDenying, isSpeaking, isTurning } from './denial.js';
import { bare, type Notation } from './wrappings.js';

/** What a kind of truth asks of a text. */
export interface Asked {
  notation: Notation;
  /** Whether a text can be an answer of the kind. */
  isAnswer: (text: string) => boolean;
  /** Whether a text, by itself, is the right answer. */
  isRight: (text: string) => boolean;
  /** Whether a sentence names another answer, or what may be one. */
  isRival: (sentence: string) => boolean;
  /** Whether a sentence says of another answer that it is none: `Note that A is a distractor`. */
  isOther: (sentence: string) => boolean;
}

/** Of what follows an answer so much is read. */
const MAX_LENGTH = 4_000;
const MAX_PIECES = 200;
/** Of a text so many words are looked through for the right answer, which has at most so many. */
const MAX_WORDS = 200;
const MAX_MENTION = 6;
/** What may stand directly before a mark: nothing, a sign, or a word behind which an answer or a value is said. */
const LEADS = leading('is|are|was|be|say|choose|pick|select|answer|option|choice|means');
const LEADS_TO_VALUE = leading(
  `${HAVING}|be|equal to|total|get|obtain|obtains|find|yields?|means|say|answer|expression|solution|equation|only|exactly|of|to|in|at|by|for|after|with|from|and|on|as|the|an?|that|per`,
);
/** Somebody else's answer. */
const ANYBODY =
  /(?<!\p{L})(?:one (?:gets|finds|has|obtains|writes|says)|students?|people|readers?|beginners?|some|many|most|someone|somebody|everybody|everyone|they)(?!\p{L})/iu;
const STOCK =
  /^(?:i hope (?:it|this|that) (?:is correct|helps)|yes|correct|confirmed|verified|done|(?:which )?us(?:es|ing) (?:all|each|every)(?: of)?(?: the)?(?: four)? numbers?(?: exactly)?(?: once)?)$/i;
/** What is no answer whatever stands behind it: `Source: passage 2`. */
const ASIDE =
  /^\(?(?:sources?|references?|citations?|evidence)\s*:|^confidence\s*:\s*(?:(?:very )?high|0?\.[5-9]\d*|1(?:\.0+)?|[5-9]\d ?%|100 ?%)[.)]?$/i;
const NOTE =
  /^(?:\[\d+\])+$|^\((?:sources?|see(?! [^)]*[A-Z])|per|according to|born|b\.|died|ref(?:erence)?)[\s:][^()]*\)$/;
/** A heading, or a label before a reason: `Explanation:`. */
const LABEL =
  /^(?:\d+[.)]\s*)?(?:(?:the )?(?:final |short |correct )?answer|(?:let me (?:verify|check|double-?check|confirm)(?: (?:it|this|that))?(?=:))|(?:step-by-step )?(?:explanations?|reasons?|reasoning|rationale|justification|solution|calculations?|verification|check(?:ing)?|proof|steps|(?:process )?summary|conclusion|note))\s*(?::|$)\s*/i;
/** What introduces a reason. */
const REASON =
  /^(?:(?:this|that|it) (?:is|was) (?:so )?)?(?:because|since|as|for|due to|given|based on|according to|per|by|from|in (?:line|agreement|accordance) with|consistent with)(?!\p{L})/iu;
const RELATIVE = /^(?:which|who|whose|where)(?!\p{L})/iu;
/** `is correct`, `is the right answer`, behind the answer. */
const CONFIRMED =
  /^(?:(?:this|that|it|which|(?:this|that|the) (?:answer|option|choice|result)) )?(?:is|are|was) (?:indeed |clearly |thus |therefore |hence )?(?:(?:the|our|my|an?) )?(?:(?:final|correct|right|best|exact|required|desired|only) )*(?:correct|right|true|answer|option|choice|result|solution)(?!\p{L})[\s,.:;]*/iu;
/** One of the things that are known to be spoken of: a pronoun, a definite thing, or the place and time of the answer. */
const ANCHOR =
  /^(?:(?:thus|hence|so|therefore|here|indeed|in this (?:case|passage)|note that|in \d{4}),? )?(?:it|its|this|that|these|those|they|their|he|his|she|her|there|here|both|all|the|you|in|according to|passages?|documents?)(?!\p{L})|(?<!\p{L})(?:there|here|it|this|him|her|his|them)(?!\p{L})/iu;
const VERB = /^(?:it|he|she|they) \p{Ll}{2,}(?:s|ed|t|e) /iu;
/** What tells something of a thing: a name, a number, what it is, where it is; `It lowers glucose`. */
const FACT =
  /\s(?:\p{Lu}|\p{N})|^\p{L}+ (?:is|are) (?:the|an?) |(?<!\p{L})(?:there|here)(?!\p{L})|^It \p{Ll}+s \p{Ll}+$/u;
/** Who speaks of the answer or of what was read, and not of the thing, may deny it in many words. */
const META =
  /^(?:(?:so|thus|hence|therefore|and|indeed|note that),? )?(?:this|that|these|those|the (?:\p{L}+ )?(?:answers?|options?|choices?|results?|sources?|evidence|passages?|texts?|documents?|articles?|data|information|search|value|number|context|snippets?|one|statement|question|key|case|claim))(?!\p{L})/iu;
/** Unless it is one of these. */
const SUPPORTS =
  /(?<!\p{L})(?:(?:is|are|was|were|has been|have been)(?: (?:\p{L}+ly|well|in|also))? (?:because|consistent|correct|right|valid|verified|confirmed|supported|documented|based|derived|obtained|shown|known|clear|stated|mentioned|given|found|established|reasonable|line|agreement)|means?|shows?|says? so|confirms?|follows|implies|imply|indicates?|match(?:es)?|agrees?|completes?|supports?|explains?)(?!\p{L})/iu;
const MARKS = /^[\s*_#>|~`$.,;:!()[\]{}\\"'…–—-]+|[\s*_#>|~`$.,;:!()[\]{}\\"'…–—-]+$/g;
const TAG = /<\/?(?:answer|final_answer|b|strong|i|em|p|span|br|code)\s*\/?>/gi;
const SENTENCE_BREAK = /(?<=[.!?。！？]["')\]*_$]*)\s+|\n+|;\s+/u;

function leading(words: string): RegExp {
  const before = `(?:^|[^\\p{L}\\s]|(?<!\\p{L})(?:${words}|then|so|thus|hence|therefore|but))`;
  return new RegExp(`${before}[\\s$\\\\([{*_]*$`, 'iu');
}

/** Whether what stands before a mark in its clause may lead to an answer: `so the area is`, not `Some might say`. */
export function leadsTo(before: string, notation: Notation): boolean {
  const sentence = before.split(/[.!?]["')*]*\s+|\n/).at(-1)!;
  const clause = sentence.split(/[,;=—]|(?<!\p{L})(?:so|thus|hence|therefore|but)(?!\p{L})/iu).at(-1)!;
  const said = clause.replace(/(?:would|must|should) be[\s:$*]*$/, 'is');
  return (notation === 'words' ? LEADS : LEADS_TO_VALUE).test(said) && !ANYBODY.test(said) && !isDenying(said);
}

/**
 * Whether what stands behind an answer leaves it standing, by being one of the kinds that are known to: nothing; the same
 * answer again, or what is computed to it; a heading, a source; a reason that is introduced as one, or a sentence about
 * what was spoken of, in which nothing is denied, doubted or turned and no other answer named. A list of what takes an
 * answer back would never end, so everything else is taken to.
 */
export function leavesStanding(rest: string, asked: Asked, isAttached = false): boolean {
  if (rest.length > MAX_LENGTH) return false;
  const pieces = rest.replace(TAG, ' ').split(SENTENCE_BREAK);
  if (pieces.length > MAX_PIECES) return false;
  return pieces.every((piece, at) => isHarmless(piece.trim(), asked) || (at === 0 && isAttached && isUnit(piece)));
}

/** `apples left`, directly behind a number that is marked. */
function isUnit(piece: string): boolean {
  const text = bare(piece, 'mathematics')
    .replace(MARKS, '')
    .replace(/ (?=\^)/g, '');
  return followsNumber(text) && !isDenying(text) && !isTurning(text);
}

function isHarmless(piece: string, asked: Asked): boolean {
  if (/\?|[\u0334-\u0338]/.test(piece) || CROSS.test(piece)) return false;
  if (NOTE.test(piece) && !isDenying(piece) && !isTurning(piece)) return true;
  const text = piece.replace(MARKS, '');
  if (!/[\p{L}\p{N}]/u.test(text)) return true;
  if (asked.isRight(text) || asked.isOther(text) || STOCK.test(text)) return true;
  if (/^#{1,6}\s/.test(piece) && !isDenying(text)) return true;
  const said = text.replace(CONFIRMED, '').replace(LABEL, '');
  if (said === '' || asked.isRight(said)) return true;
  if (isDenying(said)) return false;
  if (ASIDE.test(said)) return true;
  if (isTurning(said) || asked.isRival(said)) return false;
  if (REASON.test(said)) return true;
  if (isSpeaking(said)) return false;
  return isRelative(said) || LABEL.test(text) || isComputed(said, asked) || isTold(said, asked);
}

/** A sentence about what was spoken of: `It lowers glucose`, `Hugo died there`. */
function isTold(text: string, asked: Asked): boolean {
  if (META.test(text)) return SUPPORTS.test(text);
  if (EXPLAINS.test(text) && mentions(text, asked)) return true;
  // Of a number such a sentence may say how it came about: `It counts each pair twice`.
  const isOfThing = VERB.test(text) || (EXPLAINS.test(text) && ANCHOR.test(text));
  return asked.notation === 'words' && isOfThing && FACT.test(text);
}

/** `which is the capital of France`, `where Hugo died`; not `which overcounts`. */
function isRelative(text: string): boolean {
  return (
    RELATIVE.test(text) &&
    (/\s(?:\p{Lu}|\p{N})/u.test(text) || /^\p{L}+ (?:is|was|are|were) (?:the|an?|in) /u.test(text))
  );
}

/** Whether a text says the right answer somewhere, in so many words. */
export function mentions(text: string, { isRight }: Asked): boolean {
  const said = text.split(/[\s,;:]+/, MAX_WORDS).map((word) => word.replace(MARKS, ''));
  return said.some((_, at) =>
    Array.from({ length: MAX_MENTION }, (_, length) => said.slice(at, at + length + 1).join(' ')).some(isRight),
  );
}

/** `2 + 4 = 6` */
function isComputed(text: string, asked: Asked): boolean {
  return asked.isRight(lastValue(text));
}

/** What a computation ends in, or the last number of a sentence. */
export function lastValue(text: string): string {
  const value = /[=:]\s*([^=:]+)$/.exec(text)?.[1] ?? text.match(/[+-]?\d[\d,]*(?:\.\d+)?/g)?.at(-1) ?? '';
  return bare(value, 'mathematics');
}
