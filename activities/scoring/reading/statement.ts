import { CROSSED, EXPLAINS } from './clauses.js';
import { leavesStanding, type Asked } from './continuation.js';
import { isRevising } from './denial.js';
import { isOpening } from './opening.js';
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
  /** What stands around it in the output. */
  around: Around;
}

/** What stands around a statement, and must leave it standing. */
export interface Around {
  /** Whether the answer is marked: a unit may follow it. */
  isMarked: boolean;
  /** What leads to it in its sentence. */
  before: string;
  after: string;
  /** Other answers that are stated as well, and not revised. */
  others: Statement[];
}

const NOTHING_AROUND: Around = { isMarked: false, before: '', after: '', others: [] };

/** A text that is an answer by itself. */
export function statementOf(text: string, notation: Notation): Statement {
  const layers = unwrap(text, notation);
  return { readings: [layers.at(-1)!], verbatim: layers, isDoubted: false, around: NOTHING_AROUND };
}

interface Said {
  /** Where its words begin, and where its object does. */
  from: number;
  at: number;
  /** Where its object ends. */
  end: number;
  /** `The answer is` outranks `the result is`. */
  rank: number;
  object: string;
  /** What follows an object that stands before its words: `to this question`. */
  tail: string;
  /** Whether it is said as the answer: not denied, doubted, or said of somebody else's. */
  isOwn: boolean;
}

/** An answer that is marked: what is in it, and where it stands. */
interface Mark {
  start: number;
  content: string;
  end: number;
}

/** Of a longer output its end is read. */
const MAX_LENGTH = 4_000;
/** Of what leads to a mark so much is read. */
const MAX_BEFORE = 300;
/** Characters of objects that are looked through for an answer: an output may say "the answer is" at every word. */
const MAX_LOOKED_AT = 5 * MAX_LENGTH;
/** Other statements and marks that are compared with the last one. */
const MAX_OTHERS = 20;
/** White space that is longer says no more, and a pattern that begins and ends in it takes the cube of its length. */
const LONG_SPACE = /\s{17,}/g;
const SUBJECT =
  '(?:final |correct |actual |real |revised |corrected |updated |right |best |true |short |likely |(?:most|best) (?:likely |appropriate |suitable |probable |accurate )?)*';
const COPULA =
  '(?:\\s*[:=]|(?:,\\s+(?:therefore|thus|then|hence),)?\\s+(?:is|are|was|would be|must be|should be|will be|seems to be|appears to be)\\b\\s*:?)';
const ABOUT = '(?:\\s+(?:to|for|of)\\s[^.:=\\n]{1,120}?)?';
/** `The answer to the previous question` is not the one that is asked for. */
const ASKED_ABOUT =
  '(?:\\s+(?:to|for|of) (?:(?:the|this|your|our|that) )?(?:(?:given|above|whole|entire|original|main) )?(?:questions?|problems?|puzzle|riddle|task|exercise|query|equation|multiple[- ]choice question)(?: (?:above|asked|given))?)?';
const SAID: readonly [rank: number, pattern: RegExp][] = [
  [
    1,
    new RegExp(
      `\\b${SUBJECT}(?:answer|option|choice|diagnosis)(?: choice| option)?(?: letter)?${ASKED_ABOUT}${COPULA}\\s*`,
      'gi',
    ),
  ],
  [1, /^#{0,6}[ \t]*(?:\d+[.)][ \t]*)?(?:the )?(?:final |correct )?answer[ \t]*:?[ \t]*\n+/gim],
  [1, /(?<=which (?:matches|corresponds to) )(?:option|choice)\s+(?=[A-Z](?![\p{L}\p{N}]))/gu],
  [1, /^####\s*(?=\S)/gm],
  [1, /(?:所以|因此)?(?:最终|正确)?答案(?:是|为|：|:)+\s*|(?:应|故)?选(?:项|择)?\s*(?=[A-Z](?![A-Za-z]))/g],
  [1, /(?:^|[\n*])\s*(?:final|my (?:final )?(?:pick|choice|answer))\s*[:=]\s*/gi],
  [
    1,
    /\b(?:la |die |de )?(?:richtige |bonne |final )?(?:respuesta|antwort|réponse|risposta|resposta|jawaban)(?: (?:correcta|finale?|correcte|corretta|akhir|yang benar))?(?:\s*:|\s+(?:es|ist|est|è|adalah|é)(?=\s))\s*/giu,
  ],
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
/** `Paris?` */
const ASKED = /\?[\s*_)"']*$/;
const REASON = /[,;]?\s+(?:because|since)\s|,\s+(?:which|who|whose|where)\s/;
/** `indeed Paris`; a title has a capital letter: `Thus Spoke Zarathustra`. */
const ADVERB = /^(?:therefore|thus|hence|indeed|then|clearly),?\s+/;
/** `Paris [1]`, `Paris (Source: Wikipedia)`, `Walter Scott (born 1771)`. */
const NOTE = /\s*(?:\[\d+\]\s*)+$|\s+\((?:sources?|see|per|according to|born|b\.|died|ref(?:erence)?)[\s:][^()]*\)$/i;
const SENTENCE_STARTS =
  'It|Its|This|That|These|Those|The|He|She|They|We|I|His|Her|Their|In|As|Because|Since|However|Therefore|So|Thus|Hence|According|Both|Note|Here|There|Check|Let|Wait|Actually|You|All|After|Although|While|When|For|By|From|A|An|No|My|Scratch';
/** Before a sentence of its own: `A Quiet Man. The Sequel` is one title. */
const SENTENCE_END = new RegExp(
  `(?<!\\.)\\.(?=\\s+(?:${SENTENCE_STARTS})\\b[^\\n]*?\\s[a-z]{2,}|\\s+\\p{Lu}\\p{Ll}[\\p{Ll} ]{1,20}:\\s)|(?<!\\.)\\.(?=\\s+\\p{Lu}[^.\\n]{0,200}?\\s(?:${EXPLAINS.source}))|\\n`,
  'gu',
);
const ABBREVIATION =
  /(?:^|[\s("'.])(?:[\p{L}]|no|nos|st|mr|mrs|ms|dr|jr|sr|vs|inc|ltd|co|corp|mt|ft|prof|rev|gen|col|lt|sgt|capt|vol|op|ch|fig|bros|ph|gov|sen|rep|hon|ave|dept|approx|etc|ca|cf|eg|ie)$/iu;

/** What makes a later "the answer is" the last word, also behind a mark. */
const FINAL = /\b(?:final|correct|corrected|actual|real|right|revised|updated)\b/i;

/**
 * The statement that an output makes: the last `<answer>` or box; in it, or else in all of the output, the last "the
 * answer is" whose object can be an answer; else all of it. "The correct answer is" behind a mark outdoes it, and so does
 * any other if the mark holds no answer. Thoughts in `<think>` and what is struck out (`~~5~~`) are no part of an output.
 * Undefined where it says "the answer is" without one so often that it cannot be read.
 */
export function finalStatement(output: string, notation: Notation, asked: Asked): Statement | undefined {
  const thought = withoutThoughts(output).trim();
  const text = answerOfObject(thought) ?? thought;
  const marks = marksIn(text);
  const mark = marks.at(-1);
  if (!mark) return statementIn(text, text, notation, asked);
  const after = withoutEmphasis(text.slice(mark.end), notation);
  const later = after.length > MAX_LENGTH ? undefined : lastSaid(after, notation, asked);
  const isAnswer = readingsOf(mark.content, notation, asked).some(asked.isAnswer);
  if (later && (!isAnswer || FINAL.test(later.words) || isRevising(after.slice(0, later.from)))) {
    return statementIn(text, after, notation, asked);
  }
  const statement = statementIn(text, mark.content, notation, asked);
  if (!statement) return undefined;
  const others = marks.slice(0, -1).filter((other, at) => !isRevising(text.slice(other.end, marks[at + 1].start)));
  const stated = [...others.map(({ content }) => content), ...(later ? [later.object] : [])];
  return {
    ...statement,
    around: {
      isMarked: true,
      before: text.slice(Math.max(0, mark.start - MAX_BEFORE), mark.start),
      after: `${statement.around.after}\n${later ? after.slice(0, later.from) : after}`.trimStart(),
      others: [...statement.around.others, ...stated.map((other) => statementOf(other, notation))],
    },
  };
}

/** Keys that say no more of an answer than what it is. */
const BESIDE_ANSWER =
  /^(?:reason(?:ing|s)?|explanations?|rationale|thoughts?|thinking|analysis|steps?|confidence|sources?|question|id|unit)$/i;

/** The answer of `{"answer": "B"}`, if nothing is said of it besides. */
function answerOfObject(text: string): string | undefined {
  const json = /^(?:```(?:json)?\s*)?(\{[^{}]*"(?:final_?)?answer"[^{}]*\})(?:\s*```)?$/i.exec(text)?.[1];
  if (json === undefined) return undefined;
  try {
    const entries = Object.entries(JSON.parse(json) as Record<string, unknown>);
    const answers = entries.filter(([key]) => /^(?:final_?)?answer$/i.test(key));
    const isPlain = entries.every((entry) => answers.includes(entry) || BESIDE_ANSWER.test(entry[0]));
    const value = answers.at(-1)?.[1];
    const only = Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value;
    return isPlain && (typeof only === 'string' || typeof only === 'number') ? String(only) : undefined;
  } catch {
    return undefined;
  }
}

function statementIn(text: string, part: string, notation: Notation, asked: Asked): Statement | undefined {
  const whole = part.slice(-MAX_LENGTH);
  const marked = withoutLongSpace(whole).replace(STRUCK, '').trim();
  const plain = withoutEmphasis(marked, notation);
  const found = lookFor(plain, notation, asked);
  if (!found) return undefined;
  const { stated, reported, said } = found;
  // An answer may hold these words itself: `The answer is The Answer Is You` ends where its object ends.
  const objects = said.filter(({ end, isOwn }) => isOwn && end === stated?.end).map(({ object }) => object);
  const isStruck = marked === '' && whole.trim() !== '';
  const object = stated?.object ?? marked;
  // A title may ask: it is right as the whole that it is.
  const isDoubted = isStruck || reported !== undefined || CROSSED.test(object) || ASKED.test(object);
  const others = stated ? othersBefore(stated, said, plain) : [];
  return {
    readings: isDoubted ? [''] : readingsOf(object, notation, asked),
    verbatim: unique([
      ...unwrap(text.slice(-MAX_LENGTH), notation),
      ...[whole, ...(isStruck || reported || CROSSED.test(object) ? [] : objects)].flatMap((one) =>
        unwrap(one, notation),
      ),
    ]),
    isDoubted,
    around: {
      isMarked: false,
      before: '',
      after: stated ? stated.tail + plain.slice(stated.end) : '',
      others: others
        .map((other) => readingsOf(other, notation, asked))
        .filter((readings) => readings.some(asked.isAnswer))
        .map(([reading]) => statementOf(reading, notation)),
    },
  };
}

/** What was stated before the last answer, and not revised by it: the last of it. */
function othersBefore(stated: Said, said: readonly Said[], text: string): string[] {
  const before = said.filter(
    ({ isOwn, rank, from, object }) => isOwn && rank === 1 && from < stated.from && !COMMENT.test(object),
  );
  return before.slice(0, MAX_OTHERS).flatMap((other) => {
    const next = Math.min(other.end, ...said.map(({ from }) => (from > other.at ? from : text.length)));
    // `The answer is The Answer Is You` says one.
    const isOne = !/[.!?;,\n]/.test(text.slice(other.at, stated.from));
    return isOne || isRevising(text.slice(other.at, stated.at)) ? [] : [text.slice(other.at, next)];
  });
}

interface Found {
  said: Said[];
  stated?: Said;
  /** What is said to be the answer, and not as the output's own. */
  reported?: Said;
}

/** The last "the answer is" whose object can be an answer; undefined if there are too many without one. */
function lookFor(text: string, notation: Notation, asked: Asked): Found | undefined {
  const said = saidIn(text).sort((a, b) => a.rank - b.rank || b.at - a.at);
  let lookedAt = 0;
  const isSaid = ({ object }: Said) => {
    if (lookedAt > MAX_LOOKED_AT || COMMENT.test(object)) return false;
    lookedAt += object.length;
    return partsOf(object, notation).some(({ part }) => asked.isAnswer(part));
  };
  const stated = said.filter(({ isOwn }) => isOwn).find(isSaid);
  const reported = stated ? undefined : said.filter(({ isOwn }) => !isOwn).find(isSaid);
  return !stated && lookedAt > MAX_LOOKED_AT ? undefined : { said, stated, reported };
}

function lastSaid(text: string, notation: Notation, asked: Asked): (Said & { words: string }) | undefined {
  const stated = lookFor(text, notation, asked)?.stated;
  return stated && { ...stated, words: text.slice(stated.from, stated.at) };
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

/** What is in `<answer>`, the last of which may lack its end, and in boxes, in their order. Of one in another, the inner. */
function marksIn(text: string): Mark[] {
  const tags = [...text.matchAll(/<(?:final_)?answer>/gi)].slice(-MAX_OTHERS).map((opening): Mark => {
    const start = opening.index + opening[0].length;
    const closing = /<\/(?:final_)?answer>/i.exec(text.slice(start));
    const end = closing ? start + closing.index : text.length;
    return { start: opening.index, content: text.slice(start, end), end: end + (closing?.[0].length ?? 0) };
  });
  const boxes = [...text.matchAll(/\\(?:boxed|fbox)\s*\{/g)].slice(-MAX_OTHERS).flatMap((opening): Mark[] => {
    const start = opening.index + opening[0].length;
    const end = endOfGroup(text, start);
    return end === undefined ? [] : [{ start: opening.index, content: text.slice(start, end), end: end + 1 }];
  });
  const marks = [...tags, ...boxes].sort((one, other) => one.start - other.start);
  return marks.filter(({ end }, at) => at === marks.length - 1 || marks[at + 1].start >= end);
}

function saidIn(plain: string): Said[] {
  const forward = SAID.flatMap(([rank, pattern]) =>
    [...plain.matchAll(pattern)].map((match) => {
      const at = match.index + match[0].length;
      const object = firstBlock(plain.slice(at));
      const isOwn = isOpening(plain.slice(0, match.index), rank === 2);
      const end = plain.indexOf(object, at) + object.length;
      return { from: match.index, at, end, rank, object, tail: '', isOwn };
    }),
  );
  const backward = [...plain.matchAll(REVERSED)].map((match) => {
    const object = match[1].replace(CONNECTIVE, '');
    const end = match.index + match[0].length;
    // `Paris is the answer to a different question.`
    const tail = /^[^\n]*/.exec(plain.slice(end))![0];
    const lead = /[^.!?\n]*$/.exec(plain.slice(0, match.index + match[0].indexOf(match[1])))![0];
    const isOwn = !REPORTED.test(object) && (object !== match[1] || isOpening(lead, false));
    return { from: match.index, at: match.index, end: end + tail.length, rank: 1, object, tail, isOwn };
  });
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

/**
 * What an answer may be, bare, the likeliest first: its first sentence, what comes before its reason or a note, if what is
 * cut off leaves that standing; and all of it.
 */
function readingsOf(text: string, notation: Notation, asked: Asked): string[] {
  const parts = partsOf(text, notation).filter(({ rest }) => leavesStanding(rest, asked));
  return unique(parts.map(({ part }) => part));
}

interface Part {
  part: string;
  rest: string;
}

function partsOf(text: string, notation: Notation): Part[] {
  const whole = unwrap(text, notation).at(-1)!;
  const cuts = [endOfSentence(whole), REASON.exec(whole)?.index].filter((cut) => cut !== undefined);
  const shorter = cuts.flatMap((cut) => {
    const [part, rest] = [whole.slice(0, cut).replace(ADVERB, ''), whole.slice(cut)];
    const note = notation === 'words' ? (NOTE.exec(part)?.index ?? part.length) : part.length;
    return [
      { part: part.slice(0, note), rest: `${part.slice(note)}\n${rest}` },
      { part, rest },
    ];
  });
  const note = notation === 'words' ? NOTE.exec(whole)?.index : undefined;
  const noted = note === undefined ? [] : [{ part: whole.slice(0, note), rest: whole.slice(note) }];
  const all = [...shorter, ...noted, { part: whole.replace(ADVERB, ''), rest: '' }, { part: whole, rest: '' }];
  return all
    .map(({ part, rest }) => ({ part: unwrap(part, notation).at(-1)!, rest }))
    .filter(({ part }) => part !== '' || whole === '');
}

/**
 * Where the first sentence of a text ends: before a word that begins sentences, and not after an abbreviation: `St. Louis`
 * is one sentence; or at the end of its first line.
 */
function endOfSentence(text: string): number | undefined {
  for (const end of text.matchAll(SENTENCE_END)) {
    if (end[0] === '\n' || !ABBREVIATION.test(text.slice(0, end.index))) return end.index;
  }
  return undefined;
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
