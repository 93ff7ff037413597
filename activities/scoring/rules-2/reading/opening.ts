/** Of a sentence so much is read. */
const MAX_LENGTH = 300;
const SENTENCE_BREAK = /[.!?:;]["')*]*\s+|\n|—/g;
const CONNECTIVE =
  '(?:(?:so|thus|hence|therefore|then|however|but|actually|wait|no|instead|and|finally|clearly|indeed|now|consequently|accordingly|overall|ultimately|in (?:conclusion|summary|short|total)|to (?:conclude|summarize|sum up)|as a result|for (?:this|that) reason),?\\s+)*';
/** `2 + 3 = 5, so`: what is said before does not matter. */
const CONCLUDED =
  /^[^?]*[,;\s](?:so|thus|hence|therefore|which (?:means|matches|corresponds to)|meaning)\b,?\s+(?:that\s+)?/i;
/** `Based on the passages,`; not `At first glance,` or `According to a rumor,`. */
const CIRCUMSTANCE = new RegExp(
  `^[^\\p{L}\\p{N}~≠¬]*${CONNECTIVE}(?!in (?:fiction|theory|a (?:story|novel|dream))|at first|as a (?:wild |first )?guess|according to (?:an?|some|one)\\s|by guess|for now)(?:since|because|as|given|based on|after|by|using|from|with|considering|among|upon|of|in|for|to|at|on|when|` +
    'according to the|\\p{L}+ing)\\s[^?]*,\\s*',
  'iu',
);
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
  const conclusion = sentence.replace(CONCLUDED, '');
  const isCut = !start && end.length < before.length;
  if (isCut && conclusion === sentence) return false;
  const opening = conclusion.replace(CIRCUMSTANCE, '');
  return OPENING.test(isResult ? opening.replace(NAME_OF_RESULT, '') : opening);
}
