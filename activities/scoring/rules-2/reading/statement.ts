import { ANOTHER_ANSWER, CROSSED, DENIED, EXPLAINS, TAKEN_BACK } from './clauses.js';
import { isOpening } from './opening.js';
import { isDeniedAround, isRevised } from './revision.js';
import { endOfGroup, unwrap, type Notation } from './wrappings.js';

/** What an output says its answer is. */
export interface Statement {
  /**
   * Texts that the answer may be, the likeliest first: to its end, to the end of its sentence, up to its reason. Bare.
   */
  readings: string[];
  /**
   * Those and the same in their wrappings: an answer that is wrapped in signs of its own (`*NSYNC`) is one of these.
   */
  verbatim: string[];
  /** It speaks of an answer and gives none of its own: `the wrong answer is Paris`, `~~Paris~~`, `Paris ❌`. */
  isDoubted: boolean;
}

/** Whether a text can be an answer of the kind that is asked for. */
export type IsAnswer = (text: string) => boolean;

interface Said {
  at: number;
  /** Where its object ends. */
  end: number;
  /** `The answer is` outranks `the result is`. */
  rank: number;
  object: string;
  /** Whether it is said as the answer: not denied, doubted, or said of somebody else's. */
  isOwn: boolean;
}

/** An answer that is marked, and what stands on either side of it. */
interface Mark {
  before: string;
  content: string;
  after: string;
}

/** Of a longer output its end is read. */
const MAX_LENGTH = 4_000;
/** Characters of objects that are looked through for an answer: an output may say "the answer is" at every word. */
const MAX_LOOKED_AT = 5 * MAX_LENGTH;
/** White space that is longer says no more, and a pattern that begins and ends in it takes the cube of its length. */
const LONG_SPACE = /\s{17,}/g;
const SUBJECT =
  '(?:final |correct |revised |corrected |updated |right |best |true |short |likely |(?:most|best) (?:likely |appropriate |suitable |probable |accurate )?)*';
const COPULA =
  '(?:\\s*[:=]|(?:,\\s+(?:therefore|thus|then|hence),)?\\s+(?:is|are|was|would be|must be|should be|will be|seems to be|appears to be)\\b\\s*:?)';
const ABOUT = '(?:\\s+(?:to|for|of)\\s[^.:=\\n]{1,120}?)?';
const SAID: readonly [rank: number, pattern: RegExp][] = [
  [
    1,
    new RegExp(
      `\\b${SUBJECT}(?:answer|option|choice|diagnosis)(?: choice| option)?(?: letter)?${ABOUT}${COPULA}\\s*`,
      'gi',
    ),
  ],
  [1, /^#{0,6}[ \t]*(?:\d+[.)][ \t]*)?(?:the )?(?:final |correct )?answer[ \t]*:?[ \t]*\n+/gim],
  [1, /(?<=which (?:matches|corresponds to) )(?:option|choice)\s+(?=[A-Z](?![\p{L}\p{N}]))/gu],
  [1, /^####\s*(?=\S)/gm],
  [1, /(?:所以|因此)?(?:最终|正确)?答案(?:是|为|：|:)+\s*|(?:应|故)?选(?:项|择)?\s*(?=[A-Z](?![A-Za-z]))/g],
  [1, /(?:правильный |верный |окончательный )?ответ\s*[:—]\s*/giu],
  [1, /(?:الإجابة|الجواب)(?: الصحيحة| الصحيح| النهائية| النهائي)?\s*(?::|هي\s|هو\s)\s*/g],
  [1, /(?:최종 )?정답(?:은\s+|\s*[:：]\s*)/g],
  [2, new RegExp(`\\b(?:final )?(?:result|solution|value)${ABOUT}${COPULA}\\s*`, 'gi')],
];
/** `Paris is the correct answer.` */
const REVERSED =
  /(?:^|[.!?\n]\s+|[,:]\s+)((?:(?![.!?]\s|[\n:]).)+?)\s+(?:is|must be|would be|should be) (?:the|our|my) (?:final |correct |right |best )*(?:answer|option|choice)\b/gi;
const CONNECTIVE = /^(?:so|thus|hence|therefore|then|and|clearly|finally|i think|i believe)\b,?\s+/i;
/** What is said of an answer instead of saying it: `That result is well documented.` */
const COMMENT =
  /^(?:(?:also|clearly|indeed|thus|therefore|well|fully|now|still|quite|very)\s+)*(?:consistent|correct|right|wrong|incorrect|valid|verified|confirmed|supported|documented|based|derived|given|found|obtained|shown|known|clear|obvious|unique|exact|reasonable|accurate|as follows|in line|in agreement|because|that)\b/;
/** `It is false that Paris`, `if Paris`, `nobody thinks Paris`, before `is the answer`. */
const REPORTED =
  /^(?:if|whether|unless|perhaps|maybe|not|neither|nor|nobody|no one|some|many|few|people|they|he|she|i|we|you|it)\s|\sthat\s/i;
const PRONOUN = /^(?:it|this|that|which|he|she|they|what|there|here)$/i;
const STRUCK = /(?<!~)~~(?=[^\s~])[^~\n]*?(?<=[^\s~])~~(?!~)/g;
const LABEL = /^[#*\s]*(?:explanation|reason|reasoning|justification)\s*:?[*\s]*$/i;
/** `Paris?`; titles that ask begin otherwise: `What Now?` */
const ASKED = /^(?!wh|how|do|is|are|can|quo)[^\s?]+(?:\s[^\s?]+)?\?$/i;
/** What is no answer whatever stands behind it: `Source: passage 2`. */
const ASIDE = /^[#*\s(]*(?:sources?|references?|citations?|evidence|confidence|check|verification)\s*:/i;
const REASON = /[,;]?\s+(?:because|since)\s|,\s+(?:which|who|whose|where)\s/;
/** `indeed Paris`; a title has a capital letter: `Thus Spoke Zarathustra`. */
const ADVERB = /^(?:therefore|thus|hence|indeed|then|clearly),?\s+/;
/** `Paris [1]`, `Paris (Source: Wikipedia)`, `Walter Scott (born 1771)`. */
const NOTE =
  /\s*(?:\[\d+\]\s*)+$|\s+\((?:sources?|see|from|per|according to|born|b\.|died|ref(?:erence)?)[\s:][^()]*\)$/i;
const SENTENCE_STARTS =
  'It|Its|This|That|These|Those|The|He|She|They|We|I|His|Her|Their|In|As|Because|Since|However|Therefore|So|Thus|Hence|According|Both|Note|Here|There|Check|Let|Wait|Actually|You|All|After|Although|While|When|For|By|From|A|An|No|My|Scratch';
/** Before a sentence of its own: `A Quiet Man. The Sequel` is one title. */
const SENTENCE_END = new RegExp(
  `(?<!\\.)\\.(?=\\s+(?:${SENTENCE_STARTS})\\b[^\\n]*?\\s[a-z]{2,})|(?<!\\.)\\.(?=\\s+\\p{Lu}[^.\\n]{0,200}?\\s(?:${EXPLAINS.source}))|\\n`,
  'gu',
);
const ABBREVIATION =
  /(?:^|[\s("'.])(?:[\p{L}]|no|nos|st|mr|mrs|ms|dr|jr|sr|vs|inc|ltd|co|corp|mt|ft|prof|rev|gen|col|lt|sgt|capt|vol|op|ch|fig|bros|ph|gov|sen|rep|hon|ave|dept|approx|etc|ca|cf|eg|ie)$/iu;

/**
 * The statement that an output makes: the last `<answer>` or box; in it, or else in all of the output, the last "the
 * answer is" whose object can be an answer; else all of it. Thoughts in `<think>` and what is struck out (`~~5~~`) are
 * no part of an output. What follows may take a mark back: then it is the answer that is said there, if there is one.
 * Undefined where it says "the answer is" without one so often that it cannot be read.
 */
export function finalStatement(output: string, notation: Notation, isAnswer: IsAnswer): Statement | undefined {
  const thought = withoutThoughts(output).trim();
  const text = answerOfObject(thought) ?? thought;
  const mark = lastMarked(text);
  if (mark && (isDeniedAround(mark.before, mark.after) || isRevised(mark.after)))
    return afterRevision(mark, notation, isAnswer);
  return statementIn(text, mark?.content ?? text, notation, isAnswer);
}

/** The answer of `{"answer": "B"}`. */
function answerOfObject(text: string): string | undefined {
  const json = /^(?:```(?:json)?\s*)?(\{[^{}]*"(?:final_?)?answer"[^{}]*\})(?:\s*```)?$/i.exec(text)?.[1];
  if (json === undefined) return undefined;
  try {
    const { answer, final_answer: last = answer } = JSON.parse(json) as Record<string, unknown>;
    return typeof last === 'string' || typeof last === 'number' ? String(last) : undefined;
  } catch {
    return undefined;
  }
}

/** What is said after a mark that no longer stands. */
function afterRevision({ after }: Mark, notation: Notation, isAnswer: IsAnswer): Statement | undefined {
  const isSaid = saidIn(after.slice(-MAX_LENGTH), notation).some(({ isOwn }) => isOwn);
  if (isSaid) return statementIn(after, after, notation, isAnswer);
  return { readings: [''], verbatim: [], isDoubted: true };
}

function statementIn(text: string, part: string, notation: Notation, isAnswer: IsAnswer): Statement | undefined {
  const whole = part.slice(-MAX_LENGTH);
  const marked = withoutLongSpace(whole).replace(STRUCK, '').trim();
  const said = saidIn(marked, notation).sort((a, b) => a.rank - b.rank || b.at - a.at);
  let lookedAt = 0;
  const isSaid = ({ object }: Said) => {
    if (lookedAt > MAX_LOOKED_AT || COMMENT.test(object)) return false;
    lookedAt += object.length;
    return readingsOf(object, notation).some(isAnswer);
  };
  const stated = said.filter(({ isOwn }) => isOwn).find(isSaid);
  const reported = stated ? undefined : said.filter(({ isOwn }) => !isOwn).find(isSaid);
  if (!stated && lookedAt > MAX_LOOKED_AT) return undefined;
  // An answer may hold these words itself: `The answer is The Answer Is You` ends where its object ends.
  const objects = said.filter(({ end, isOwn }) => isOwn && end === stated?.end).map(({ object }) => object);
  const isStruck = marked === '' && whole.trim() !== '';
  const rest = marked.slice(stated?.end ?? marked.length);
  const isTakenBack = isStruck || reported !== undefined || isRefuted(stated?.object ?? marked) || isRevised(rest);
  // A title may hold such words too, or ask: `No, No, Nanette` is right as the whole that it is.
  const isOpen =
    ASKED.test(stated?.object ?? marked) || (stated !== undefined && isRevised(afterAnswer(stated.object) + rest));
  const isDoubted = isTakenBack || isOpen;
  return {
    readings: isDoubted ? [''] : readingsOf(stated?.object ?? marked, notation),
    verbatim: unique([
      ...unwrap(text.slice(-MAX_LENGTH), notation),
      ...[whole, ...(isTakenBack ? [] : objects)].flatMap((part) => unwrap(part, notation)),
    ]),
    isDoubted,
  };
}

/** Whether an answer has a cross, or what follows it says that it is none. */
function isRefuted(object: string): boolean {
  return CROSSED.test(object) || DENIED.test(afterAnswer(object));
}

/** What follows the first clause of a line. */
function afterAnswer(object: string): string {
  return object.slice(object.split(/[.,;!?\n]/, 1)[0].length);
}

function withoutLongSpace(text: string): string {
  return text.replace(LONG_SPACE, (run) => `${run.slice(0, 15)}${run.includes('\n') ? '\n' : ' '}`);
}

/** What thinks without an end says nothing. */
function withoutThoughts(output: string): string {
  const closed = output.lastIndexOf('</think>');
  const rest = closed >= 0 ? output.slice(closed + '</think>'.length) : output;
  const open = rest.indexOf('<think>');
  return open >= 0 ? rest.slice(0, open) : rest;
}

/** What is in the last `<answer>`, which may lack its end, or in the last box, whichever comes later. */
function lastMarked(text: string): Mark | undefined {
  const tagged = lastOf(text, /<answer>/gi);
  const boxed = lastOf(text, /\\(?:boxed|fbox)\s*\{/g);
  const boxEnd = boxed && endOfGroup(text, boxed.end);
  if (boxed && boxEnd !== undefined && boxed.end > (tagged?.end ?? 0)) return markAt(text, boxed, boxEnd, boxEnd + 1);
  if (!tagged) return undefined;
  const closing = /<\/answer>/i.exec(text.slice(tagged.end));
  if (!closing) return markAt(text, tagged, text.length, text.length);
  const end = tagged.end + closing.index;
  return markAt(text, tagged, end, end + closing[0].length);
}

function markAt(text: string, opening: { start: number; end: number }, end: number, after: number): Mark {
  return { before: text.slice(0, opening.start), content: text.slice(opening.end, end), after: text.slice(after) };
}

function lastOf(text: string, pattern: RegExp): { start: number; end: number } | undefined {
  const last = [...text.matchAll(pattern)].at(-1);
  return last && { start: last.index, end: last.index + last[0].length };
}

function saidIn(text: string, notation: Notation): Said[] {
  const plain = withoutEmphasis(text, notation);
  const forward = SAID.flatMap(([rank, pattern]) =>
    [...plain.matchAll(pattern)].map((match) => {
      const at = match.index + match[0].length;
      const object = firstBlock(plain.slice(at));
      const isOwn = isOpening(plain.slice(0, match.index), rank === 2);
      return { at, end: plain.indexOf(object, at) + object.length, rank, object, isOwn };
    }),
  );
  const backward = [...plain.matchAll(REVERSED)].map((match) => ({
    at: match.index,
    end: match.index + match[0].length,
    rank: 1,
    object: match[1].replace(CONNECTIVE, ''),
    isOwn: !REPORTED.test(match[1].replace(CONNECTIVE, '')),
  }));
  return [...forward, ...backward].filter(({ object }) => object !== '' && !PRONOUN.test(object));
}

/** Without the marks of emphasis and headings around the words that introduce an answer. */
function withoutEmphasis(text: string, notation: Notation): string {
  const strong = text.replace(/(?<![\p{L}\p{N})])(\*\*|__)(?=\S)((?:(?!\1).)+?)\1(?![\p{N}(])/gu, '$2');
  return notation === 'words'
    ? strong.replace(/(?<![\p{L}\p{N}*])\*(?=\S)([^*\n]*\p{L}[^*\n]*?)\*(?![\p{L}\p{N}*])/gu, '$1')
    : strong;
}

/** A line, or a fence or displayed formula of several. */
function firstBlock(text: string): string {
  const block = /^(`{3,})[\s\S]*?\1|^\\\[[\s\S]*?\\\]|^\$\$[\s\S]*?\$\$/.exec(text.trimStart())?.[0];
  return block ?? text.trimStart().split('\n', 1)[0].trim();
}

/** A statement to its end, its first sentence, and what comes before its reason: bare, the likeliest first. */
function readingsOf(text: string, notation: Notation): string[] {
  const whole = unwrap(text, notation).at(-1)!;
  const sentence = firstSentence(whole);
  const parts = [sentence, beforeReason(whole)].flatMap((part) => {
    const words = part.replace(ADVERB, '');
    return notation === 'words' ? [words.replace(NOTE, ''), words] : [words];
  });
  const shorter = parts.filter((part) => part !== '' && part !== whole);
  return unique([...shorter, whole].map((part) => unwrap(part, notation).at(-1)!));
}

/** A text up to its reason, unless that takes it back. */
function beforeReason(text: string): string {
  const before = text.split(REASON, 1)[0];
  const reason = text.slice(before.length);
  return TAKEN_BACK.test(reason) || DENIED.test(reason) || ANOTHER_ANSWER.test(reason) ? text : before;
}

/**
 * The first sentence of a text, unless another takes it back. It ends before a word that begins sentences, and not
 * after an abbreviation: `St. Louis` is one sentence. A line is one only if all that follows are reasons: `Paris` and
 * `London` below each other are two answers.
 */
function firstSentence(text: string): string {
  for (const end of text.matchAll(SENTENCE_END)) {
    const [before, after] = [text.slice(0, end.index), text.slice(end.index + 1)];
    if (end[0] === '.' && ABBREVIATION.test(before)) continue;
    const isTakenBack = [TAKEN_BACK, DENIED, ANOTHER_ANSWER].some((pattern) => pattern.test(after));
    const isLast = !isTakenBack && (end[0] === '.' || after.split('\n').every(isReason));
    return isLast ? before.trim() : text;
  }
  return text;
}

/** Whether a line is a sentence, or a label of some, and no other answer. */
function isReason(line: string): boolean {
  const words = line.trim();
  if (words === '' || LABEL.test(words) || ASIDE.test(words)) return true;
  return (
    words.split(/\s+/).length > 2 &&
    (EXPLAINS.test(words) || /^(?:Because|Since|Both)\s/.test(words)) &&
    !ANOTHER_ANSWER.test(words)
  );
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
