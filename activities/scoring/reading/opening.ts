import { isDenying, isTurning } from './denial.js';

/** Of a sentence so much is read. */
const MAX_LENGTH = 300;
const SENTENCE_BREAK = /[.!?;]["')*]*\s+|\n|—/g;
const CONNECTIVE =
  '(?:(?:so|thus|hence|therefore|then|however|but|actually|wait|no|instead|and|finally|unfortunately|sadly|luckily|note that|[∴⇒]|=>|clearly|indeed|now|consequently|accordingly|overall|ultimately|in (?:conclusion|summary|short|total)|to (?:conclude|summarize|sum up)|as a result|for (?:this|that) reason),?\\s+)*';
/** `2 + 3 = 5, so`: what is said before does not matter. */
const CONCLUDED =
  /^[^?]*[,;\s](?:so|thus|hence|therefore|which (?:means|matches|corresponds to)|meaning)\b,?\s+(?:that\s+)?/i;
const MATERIAL =
  'passages?|texts?|contexts?|documents?|articles?|sources?|snippets?|data|information|evidence|results?|facts?|table|figure|image|chart|search|question|problem|puzzle|analysis|calculations?|computations?|options?|choices?|statements?|clues?|hints?|rules?|definitions?|formulas?|equations?|theorem|law|tool|output|above|this|these|that|review|reasoning|steps?|all of \\p{L}+';
/** `Based on the passages,`, `Adding them,`: by what an answer was found. Not `In the original problem,` or `Assuming that,`. */
const CIRCUMSTANCE = new RegExp(
  `^[^\\p{L}\\p{N}~≠¬]*${CONNECTIVE}(?:(?:based|relying) on|according to|from|given|after|by|using|with|considering|among|upon|of|in|for|at|on|since|because|as|` +
    '(?:add|subtract|multiply|divid|summ|solv|substitut|simplify|evaluat|comput|calculat|combin|count|compar|plugg|apply|round|check|convert|integrat|differentiat|expand|factor|rearrang|look|putt|tak|read|analy[sz]|review|search|pars|examin|eliminat|exclud|rul)ing)' +
    `\\s(?=[^?]*(?<!\\p{L})(?:${MATERIAL})(?!\\p{L})|(?<=(?:since|because|as|(?<!look|putt|tak|read|analy[sz]|review|search|pars|examin|eliminat|exclud|rul)ing)\\s))[^?]*,\\s*`,
  'iu',
);
/** What may stand before a colon and "the answer is"; not `He says`, `Do not write`. */
const LABEL =
  /(?:^|[^\p{L}])(?:final|steps?(?: \d+)?|conclusions?|answers?|solutions?|results?|summary|explanations?|reasoning|analysis|calculations?|verification|check|notes?|so|thus|hence|therefore|(?:we|i) (?:have|get|see|find|conclude|obtain))\W*$/iu;
/** How a choice is often found. */
const OTHERS_ELIMINATED =
  /(?:eliminating|excluding|rejecting|ruling out) (?:the |all )?(?:(?:other|incorrect|wrong|remaining|impossible) )+(?:options?|choices?|answers?)/i;
const OPENING = new RegExp(
  `^[^\\p{L}\\p{N}~≠¬]*${CONNECTIVE}` +
    "(?:i(?:'m| am) (?:confident|sure|certain)(?: that)?\\s+|(?:i|we)(?:'d| can| would| must| have to)? (?:think|believe|conclude|find|found|get|see|say|know|have)(?: that)?,?\\s+|" +
    '(?:this|it|which|that|these|those|all)(?: (?!not\\b|never\\b)\\p{L}+){0,3} (?:means?|shows?|imply|implies|follows|gives?|confirms?|suggests?|indicates?|tells?)(?: us| me)?(?: that)?,?\\s+)?' +
    '(?:(?:the|my|our|your|here is the|here is my)\\s+)?[^\\p{L}\\p{N}~≠¬]*$',
  'iu',
);
/** `The smallest value`, `one solution`: a result has a name. */
const NAME_OF_RESULT =
  /(?:(?<=(?:^|\s)(?:the|its|this)\s)(?!(?:wrong|incorrect|false)\s)\p{L}+\s(?:\p{L}+\s)?|(?<!\S)(?:one|a)\s)$/iu;

/**
 * Whether "answer is" states an answer, by what precedes it in its sentence: nothing, or one of these openings. Behind
 * anything else (`I doubt that the`, `if the`, `the wrong`, `nobody says the`) it does not: a list of what denies it
 * would never end.
 */
export function isOpening(before: string, isResult: boolean): boolean {
  const end = before.slice(-MAX_LENGTH);
  const start = [...end.matchAll(SENTENCE_BREAK)].at(-1);
  const sentence = start ? end.slice(start.index + start[0].length) : end;
  const labelled = /^([\s\S]*):(?=[^:]*$)/.exec(sentence)?.[1] ?? '';
  if (labelled !== '' && !LABEL.test(labelled)) return false;
  const conclusion = sentence.slice(labelled === '' ? 0 : labelled.length + 1).replace(CONCLUDED, '');
  const isCut = !start && end.length < before.length;
  if (isCut && conclusion.length === sentence.length) return false;
  const circumstance = CIRCUMSTANCE.exec(conclusion)?.[0] ?? '';
  const isReason = /^\W*(?:\p{L}+,?\s+)?(?:since|because|given that)\s/iu.test(circumstance);
  const around = circumstance.replace(OTHERS_ELIMINATED, '');
  if (!isReason && (isDenying(around) || isTurning(around))) return false;
  const opening = conclusion.slice(circumstance.length);
  return OPENING.test(isResult ? opening.replace(NAME_OF_RESULT, '') : opening);
}
