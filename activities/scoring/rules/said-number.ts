import { HAVING } from '../reading/clauses.js';
import { isDenying, isSpeaking } from '../reading/denial.js';

/** The one number that a sentence says is the answer. */
export interface SaidNumber {
  /** A number or what it was computed by (`3+2=5`), with its percent sign. */
  number: string;
  /** What follows it: a unit or a noun. */
  unit: string;
  /** Whether it stands without a subject and a verb. */
  isAlone: boolean;
}

const CONCLUSION = /^(?:so|thus|hence|therefore|in total|in all|altogether|finally|it follows)\b/i;
const COMPUTATION = /\d\s*[-+*/×·÷]\s*[$€£¥]?\d[\d.,]*\s*=\s*[$€£¥]?\s*\d/;
const OPENING =
  /^(?:(?:so|thus|hence|therefore|then|and|finally|now|overall|in total|in all|altogether|in conclusion|as a result|consequently|it follows that|(?:so )?we (?:get|have|find|see|conclude|obtain)(?: that)?|this (?:gives|means|leaves)(?: us)?(?: that)?|which (?:gives|means)(?: us)?(?: that)?|i think|i believe|(?:based on|according to) (?:the |these |my )?(?:tool |search |given )?(?:results?|outputs?|information|calculations?|data))[,:]?\s+|(?:(?:the )?(?:final )?answer|ans|result|total|sum)\s*[:=]\s*|=\s*)/iu;
const SUBJECT = String.raw`[\p{L}'’-]+(?:,? [\p{L}'’-]+){0,15}`;
const VERB = `(?:(?:will|would|must|should) (?:be|have|cost|take|need|get|make|earn|pay|spend|save|equal|weigh|receive|leave|use)|${HAVING})`;
const FILLER =
  '(?:(?:a|in) total (?:of )?|a (?:net |total )?profit of |equal to |exactly |precisely |only |just |now |left with )?';
/**
 * `The number of people who own them is`, `She has`, `There are`; who speaks of himself or of the one who
 * asks (`I need 5 hints`, `You have 5 minutes left`) does not answer.
 */
const SAYING = new RegExp(
  `^(?!i(?: (?!got|get)|')|you(?: (?!got|get|(?:will )?need)|'))(?<subject>${SUBJECT}) ${VERB} ${FILLER}[$€£¥]?\\s*$`,
  'iu',
);
/** `Total cost =`, `Number of apples:`; `log x =` is no name. */
const NAMING =
  /^(?!(?:log|ln|sin|cos|tan|exp|abs|sqrt)\b)[A-Za-z][a-z]{2,}(?:'s)?(?: [a-z]{2,}(?:'s)?){0,8}\s*(?:=|(?<=\b(?:answer|total|result|sum|cost|number|price|amount|count|value)\b.*):)\s*[$€£¥]?\s*$/i;
/** What is counted in a subject: `The price of one`, `The distance between the two`. */
const COUNTED =
  /^((?:the|his|her|their) (?:[\p{L}'-]+ ){1,6}?)(?:of|for|between)(?: the| all)? (?:\d+|one|two|three|four|five|six|seven|eight|nine|ten) (?!and\b|plus\b|minus\b|times\b|is\b|are\b|was\b)(?=\p{L})/iu;
const NAKED = /^[$€£¥]?\s*$/;

const NUMERAL = String.raw`(?:\d{1,3}(?:,\d{3})+(?![\d,])|\d+)(?:\.\d+)?`;
/** A numeral, a fraction, or arithmetic and what it makes; not in a word or a range. */
const NUMBER = new RegExp(
  String.raw`(?<![\p{L}\p{N}.,_^:/-]|[\p{L}\p{N}]-)(?:[\d.,+*/×·÷()\s-]*\d\)?\s*=\s*[$€£¥]?\s*[+-]?${NUMERAL}|[+-]?${NUMERAL}(?:/\d+)?)(?![\d/:]|[.,]\d)`,
  'u',
);
const MEASURE =
  'km|cm|mm|m|kg|mg|g|ms|s|h|hrs?|mins?|ft|in|lbs?|oz|mph|kph|km/h|m/s|mi|ml|l|USD|EUR|GBP|feet|people|men|women|children|mice|fish|sheep|per cent|square (?:meters?|feet|units?|inches|miles|cm|km|m)|cubic (?:meters?|feet|units?|inches|cm|m)';
/** `miles`, `prime numbers`; of one thing, `hour`. */
const NOUNS = "(?:[a-z][a-z'-]*\\s+){0,2}[a-z][a-z'-]*s";
const UNIT = `(?:\\s*(?:%|°\\s*[CFK]?)|\\s*(?:${MEASURE})(?:\\^[23])?(?![a-z])|\\s+${NOUNS}(?![a-z]))`;
const SHORT_TAIL =
  '(?:,?\\s+(?:left|remaining|in total|total|in all|altogether|each|apart|away|old(?: now)?|tall|long|high|wide|deep|of them|of these)|\\s+(?:per|an?|each|every) [a-z]+)?';
const LONG_TAIL = `(?:${SHORT_TAIL}|\\s+(?:in|on|at|to|for|from|with|by|of|per|an?|each|every|during|that|who|left|total)\\s(?:[^=.!?]|\\.(?!\\s))*)`;
const AFTER_NUMBER = new RegExp(`^(?<unit>${UNIT})?${SHORT_TAIL}$`, 'u');
const AFTER_SAYING = new RegExp(`^(?<unit>${UNIT})?${LONG_TAIL}$`, 'u');
/** `So 5 apples were sold`, `So 25% of the students like math`. */
const AFTER_CONCLUSION = new RegExp(
  `^(?:(?<share>\\s*%) of [^=]*|(?<unit>\\s+${NOUNS}) (?:are|were|will be) (?:left|remaining|sold|needed|required|used|bought|eaten|made|spent|collected|planted)(?: [a-z ]+)?)$`,
  'u',
);
const AFTER_ONE = /^(?<unit>\s+[a-z]+)$/;

/** Whether a text may follow a number and say no more of it than what it counts: `apples left`. */
export function followsNumber(text: string): boolean {
  return !/^(?:is|was|has|does)(?![a-z])/.test(text) && !isDenied(text) && AFTER_NUMBER.test(` ${text}`);
}

/** What says something else of a number, or that it is no answer. Not all of it: most of that has another form. */
const DENIED =
  /(?<!\p{L})(?:not|never|no|neither|nor|less|more|fewer|greater|lower|higher|larger|smaller|than|least|most|over|under|above|below|between|up to|exceeds?|about|around|approximately|roughly|nearly|almost|minus|negative|plus|half|halves|quarters?|thirds?|double|twice|triple|times|squared|cubed|root|power|hundreds?|thousands?|millions?|billions?|trillions?|lakhs?|crores?|dozens?|(?<!(?:ordered|such|distinct) )pairs?|couples?|scores|gross|tens|(?:four|fif|six|seven|eigh|nin|ten|eleven|twelf|\p{L}+teen|\p{L}+tie|hundred|thousand|million)ths|or|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\p{L}+teen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|point|either|maybe|perhaps|might|may|could|if|whether|unless|wait|actually|unknown|cannot|unable|mod|modulo|nickels|dimes|fortnights|(?<=\p{N} (?:[a-z]+ )?)digits?|hints?|factors?|multiples?|wrong\w*|incorrect\w*|false\w*|mistake\w*|errors?|fail\w*|timeout|retr\w+|turns|steps|tokens|hits|results|attempts|tries|guess\w*|thought|doubt\w*|exclud\w*|different|differs?|except|anything|first|initial\w*|original\w*|previous\w*|bound|confidence|version|letters|requests|estimat\w*|reciprocal|denominator|numerator|equations|unknowns|tools?|to (?:consider|check|try|begin with|start with)|(?:square|cube|reciprocal|inverse|opposite|fraction|(?:four|fif|six|seven|eigh|nin|ten|eleven|twelf|\p{L}+teen|\p{L}+tie|hundred|thousand|million|n)th|log|logarithm|sine?|cosine?|tangent) of)(?!\p{L})|\p{L}n't(?!\p{L})/iu;

const NOT_FINAL =
  /\b(?:(?:intermediate|partial|starting|given|initial|estimated|approximate) (?:result|sum|value|number|total|product)|(?:result|value) of (?:the|this) \w+ step) (?:is|was|equals)\b(?:[^.,;\n]|[.,]\d)*\.?$/i;

/**
 * The number in a sentence that says nothing else of it: alone, with a unit or a noun (`5 apples left`), after the
 * words that open a conclusion (`So`), or after a subject and a verb of being or having (`The total is 5`, `She has
 * 5 apples left`). Undefined for any other sentence: a list of what makes it no answer (`5 is wrong`, `retry after 5 s`,
 * `log 5`) never ends.
 */
export function saidNumber(text: string): SaidNumber | undefined {
  const plain = withoutContrast(text.trim().replace(/(?<!\.)[.!]$/, ''));
  const opened = withoutOpenings(plain);
  const clause = withoutCounts(opened).replace(/\s*\bper cent\b|\s*\bpercent\b/g, '%');
  const found = NUMBER.exec(clause);
  if (!found || DENIED.test(clause)) return undefined;
  const [head, rest] = [clause.slice(0, found.index), clause.slice(found.index + found[0].length)];
  if (/\p{N}/u.test(rest.replace(/\^[23]/, '')) || isDecade(found[0], rest)) return undefined;
  const isTotal = /^a total of $/i.test(head);
  const isNaked = isTotal || NAKED.test(head);
  const subject = SAYING.exec(head)?.groups?.subject ?? NAMING.exec(head)?.[0];
  if (!isNaked && (subject === undefined || isDenying(subject) || (subject.includes(' ') && isSpeaking(subject))))
    return undefined;
  const isConclusion = isTotal || opened !== plain;
  const after =
    (isNaked ? AFTER_NUMBER : AFTER_SAYING).exec(rest) ??
    (isNaked && isConclusion ? AFTER_CONCLUSION.exec(rest) : null) ??
    (found[0] === '1' ? AFTER_ONE.exec(rest) : null);
  if (!after) return undefined;
  const unit = (after.groups?.share ?? after.groups?.unit ?? '').trim();
  return { number: `${found[0].replace(/[$€£¥]/g, '')}${unit === '%' ? '%' : ''}`, unit, isAlone: isNaked };
}

/** Without what a number counts beside the answer, `The cost of 5 pens is 33`, and who it is for: `It takes John 3 days`. */
function withoutCounts(clause: string): string {
  return clause
    .replace(/^US\s*\$?\s*(?=\d)/, '')
    .replace(COUNTED, '$1of the ')
    .replace(/\b(takes?|took|costs?|leaves?) (?:him|her|them|us|[A-Z][a-z]+) (?=[$€£]?\d)/, '$1 ');
}

/** `5, not 6` is 5. */
function withoutContrast(text: string): string {
  return text.replace(/,?\s+(?:and )?not [+-]?[\d.,]*\d$/i, '');
}

/** The last sentence of several, if it concludes or computes. */
export function lastSentence(text: string): string {
  const sentences = text.split(/(?<=[.!?])\s+|\n+/).filter((sentence) => sentence.trim() !== '');
  const last = sentences.at(-1) ?? '';
  return sentences.length > 1 && (CONCLUSION.test(last) || COMPUTATION.test(last)) ? last : '';
}

/** Whether a text ends by saying what is not final: `The intermediate result is 5.` */
export function isNotFinal(text: string): boolean {
  return NOT_FINAL.test(text);
}

/** Whether a clause says of what it names that it is no answer. */
export function isDenied(clause: string): boolean {
  return DENIED.test(clause);
}

/** Without the words that open a conclusion. */
export function withoutOpenings(text: string): string {
  const rest = text.replace(OPENING, '');
  return rest === text ? text : withoutOpenings(rest);
}

/** `1990s`; `90s` may be seconds. */
function isDecade(number: string, rest: string): boolean {
  return /^\d{3,}$/.test(number) && /^s(?!\p{L})/u.test(rest);
}
