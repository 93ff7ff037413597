import { leavesStanding, type Asked } from '../reading/continuation.js';
import { isDenying } from '../reading/denial.js';
import type { Statement } from '../reading/statement.js';
import { bare } from '../reading/wrappings.js';
import { ruled, UNDECIDED, WRONG, type Finding } from './finding.js';
import { textKeys } from './text-keys.js';

const OPTION =
  '(?:(?:[Ss]o|[Tt]hus|[Hh]ence|[Tt]herefore|[Ff]inally),?\\s+)?' +
  "(?:(?:I(?:'d| would)? (?:choose|pick|select|say|think)(?: it is)?|[Ii]t(?:'s| is))\\s+)?" +
  '(?:(?:[Tt]he )?(?:correct |right |best |final )*(?:[Oo]ption|[Cc]hoice|[Aa]nswer|[Ll]etter)\\s*(?:is|:)?\\s*)?';
/** `Among the given options, B is correct`, `This matches option B`, `The most suitable answer is C`. */
const CIRCUMSTANCE =
  /^(?:(?:among|of|from|upon|based on|after|given|considering)\s[^,.;?\n]{1,120},\s+(?=(?:(?:the )?(?:correct |right |best )*(?:option|choice|answer)\s)?[([]?[A-Z](?![\p{L}\p{N}]))|(?:this|that|it|which) (?:matches|corresponds to|points to|is consistent with) (?=(?:option|choice|answer)\s)|(?:the )?most (?:appropriate|suitable|likely|probable|accurate) (?:\p{L}+ ){0,2}is\s+)/iu;
/** A letter and nothing else. */
const ALONE = new RegExp(`^${OPTION}[([{<]?\\s*([A-Za-z])\\s*[)\\]}>]?[.:,;]?$`);
/** A letter in brackets, or with a sign after it; then its text or a reason. */
const SIGNED = new RegExp(
  `^${OPTION}(?:[([]\\s*([A-Za-z])\\s*[)\\]][.:,;]?|([a-z])[.)](?=\\s)|([A-Z])(?:[.):;]+|\\s*,|\\s+[=–—-](?=\\s)|(?=\\s*\\()))\\s*(\\S[\\s\\S]*)$`,
);
/** A letter and a reason. */
const REASONED = new RegExp(
  `^${OPTION}[([]?([A-Z])[)\\]]?\\s+((?:because|since|as|for|due to|is (?:the )?(?:correct|right|best|true|answer))\\b[\\s\\S]*)$`,
);
const NAMED =
  /^(?:(?:[Ss]o|[Tt]hus|[Hh]ence|[Tt]herefore),? )?(?:[Tt]he )?(?:[Oo]ption|[Cc]hoice|[Aa]nswer|[Ll]etter)\s+["'(]*([A-Z])\b["')]*[.:,]?\s*([\s\S]*)$/;
/** Words of a content that is looked for at the beginning of a text. */
const MAX_WORDS = 60;
/** Letters, and nothing else: `B or C`, `A, B, C, D`, `A/B`. */
const LETTERS =
  /^(?:either |both )?[([]?[A-Z][)\]]?(?:(?:\s*[,;/&]\s*|\s+(?:or|and)\s+|\s*,\s*(?:or|and)\s+)[([]?[A-Z][)\]]?)+[.!]?$/;
const OF_THE_ABOVE = /^(?:none|all|both|neither) of (?:the above|these|them|the (?:options|choices))[.!]?$/i;

/**
 * The choice that an answer names, by its letter or its content. Undecided where it names none, several, or a letter
 * with the content of another: nothing is ever snapped to the nearest choice.
 */
export function choiceRule({ readings }: Statement, letter: string, choices: readonly string[]): Finding {
  if (readings.every((reading) => reading === '')) return WRONG;
  for (const reading of readings) {
    const named = namedBy(reading, choices);
    if (named.size > 0) return named.size === 1 ? ruled(named.has(letter)) : UNDECIDED;
  }
  return isNoneOffered(readings.at(-1)!, choices) ? WRONG : UNDECIDED;
}

/** Several letters, one that is not offered, `None of the above` where that is not. */
function isNoneOffered(text: string, choices: readonly string[]): boolean {
  const alone = ALONE.exec(text)?.[1];
  return (
    (alone !== undefined && !isOneOf(alone.toUpperCase(), choices)) || LETTERS.test(text) || OF_THE_ABOVE.test(text)
  );
}

/** Whether a text names a choice. */
export function namesChoice(choices: readonly string[]): Asked['isAnswer'] {
  return (text) => namedBy(text, choices).size > 0 || isNoneOffered(text, choices);
}

/** Whether a sentence has the letter or the content of another choice. */
export function namesOther(letter: string, choices: readonly string[]): Asked['isRival'] {
  const others = choices.flatMap((_, at) => (letterAt(at) === letter ? [] : [at]));
  const own = contentsOf(choices)[letter.charCodeAt(0) - 'A'.charCodeAt(0)].keys[0];
  return (sentence) => {
    const letters = sentence.match(/(?<![\p{L}\p{N}'])(?:A(?!\s+\p{Ll})|[B-HJ-Z])(?![\p{L}\p{N}'])/gu) ?? [];
    if (letters.some((one) => one !== letter && isOneOf(one, choices))) return true;
    const key = ` ${textKeys(sentence)[0]} `;
    return others.some((at) => {
      const [other] = contentsOf(choices)[at].keys;
      return other !== '' && !` ${own} `.includes(` ${other} `) && key.includes(` ${other} `);
    });
  };
}

/** `A is a common distractor`, where A is another one; `not D`. */
export function saysOfOther(letter: string): Asked['isOther'] {
  return (sentence) => {
    const found =
      /^(?:note that )?(?:(?:option|choice|answer)s? )?[([]?([A-Z])[)\]]? (?:is|was) (?:\p{L}+ly )?(?:an? )?(?:\p{L}+ )?(?:wrong|incorrect|false|distractor|ruled out|eliminated|not (?:right|correct|true))$/iu.exec(
        sentence,
      ) ?? /^(?:and )?not [([]?([A-Z])[)\]]?$/.exec(sentence);
    return found !== null && found[1].toUpperCase() !== letter;
  };
}

function askedFor(letter: string, choices: readonly string[]): Asked {
  return {
    notation: 'words',
    isAnswer: namesChoice(choices),
    isRight: (text) => String([...namedBy(text, choices)]) === letter,
    isRival: namesOther(letter, choices),
    isOther: saysOfOther(letter),
  };
}

function namedBy(text: string, choices: readonly string[]): Set<string> {
  const lines = text
    .split('\n')
    .map((line) => bare(line, 'words'))
    .filter((line) => line !== '');
  if (lines.length < 2) return namedInLine(lines[0] ?? text, choices);
  const named = lines.map((line) => namedInLine(line, choices));
  const first = named.findIndex((letters) => letters.size > 0);
  const all = new Set(named.flatMap((letters) => [...letters]));
  if (all.size !== 1) return all;
  const [letter] = all;
  const isLed = lines.slice(0, first).every((line) => !isDenying(line) || saysOfOther(letter)(line));
  return isLed && leavesStanding(lines.slice(first + 1).join('\n'), askedFor(letter, choices)) ? all : new Set();
}

function namedInLine(line: string, choices: readonly string[]): Set<string> {
  const text = line.replace(CIRCUMSTANCE, '');
  const alone = ALONE.exec(text)?.[1].toUpperCase();
  // The letter is what the question asks for, also where another choice is that letter.
  if (alone !== undefined && isOneOf(alone, choices)) return new Set([alone]);
  const content = byContent(text, choices);
  const both = content && letterBefore(content, text, choices);
  if (content !== undefined) return new Set(both === undefined ? [content] : [content, both]);
  const found = SIGNED.exec(text) ?? REASONED.exec(text) ?? NAMED.exec(text);
  if (!found) return contentAndLetter(text, choices);
  const [named, rest] = found.slice(1).filter((group) => group !== undefined);
  const letter = named.toUpperCase();
  if (!isOneOf(letter, choices) || isPronoun(letter, text)) return new Set();
  const meant = beginsWith(rest, choices);
  if (meant !== undefined && meant !== letter) return new Set([letter, meant]);
  const behind = meant === undefined ? rest : behindContent(rest, letter, choices);
  return leavesStanding(behind, askedFor(letter, choices)) ? new Set([letter]) : new Set();
}

/** What follows a choice's own content: ` is wrong` of `Rome is wrong`. */
function behindContent(text: string, letter: string, choices: readonly string[]): string {
  const { words, keys } = contentsOf(choices)[letter.charCodeAt(0) - 'A'.charCodeAt(0)];
  if (text.toLowerCase().startsWith(words.toLowerCase())) return text.slice(words.length);
  const ends = [...text.matchAll(/(?<=\S)(?=\s|$|[.,;:!?)\]])/g)].map(({ index }) => index).slice(0, MAX_WORDS);
  const end = ends.findLast((at) => textKeys(text.slice(0, at)).some((key) => keys.includes(key)));
  return end === undefined ? text : text.slice(end);
}

/** `I, as a language model, cannot say` names no choice; neither does `A. I. says C`. */
function isPronoun(letter: string, text: string): boolean {
  return (letter === 'I' && /^I(?:[,:]|\s)/.test(text)) || /^[A-Z]\.\s+[A-Z]\./.test(text);
}

/** `A. a blue cell`, where that is B: the letter is no article, unless the choice has it. */
function letterBefore(content: string, text: string, choices: readonly string[]): string | undefined {
  const letter = /^([A-Z])(?:[.):]|\s)\s*\S/.exec(text)?.[1];
  const { words } = contentsOf(choices)[content.charCodeAt(0) - 'A'.charCodeAt(0)];
  const isOwn =
    letter === undefined || words.toLowerCase().startsWith(text.slice(0, 2).toLowerCase()) || !isOneOf(letter, choices);
  return isOwn ? undefined : letter;
}

/** `Insulin (B)` */
function contentAndLetter(text: string, choices: readonly string[]): Set<string> {
  const match = /^(\S[\s\S]*?)\s*[([]([A-Z])[)\]]\.?$/.exec(text);
  const content = match && byContent(match[1], choices);
  return content && isOneOf(match[2], choices) ? new Set([content, match[2]]) : new Set();
}

function isOneOf(letter: string, choices: readonly string[]): boolean {
  return letter.length === 1 && letter.charCodeAt(0) - 'A'.charCodeAt(0) < choices.length;
}

interface Content {
  words: string;
  keys: string[];
}

const known = new WeakMap<readonly string[], Content[]>();

/** Read once: an answer is compared with them in each of its readings. */
function contentsOf(choices: readonly string[]): Content[] {
  const contents =
    known.get(choices) ??
    choices.map((choice) => bare(choice, 'words')).map((words) => ({ words, keys: textKeys(words) }));
  known.set(choices, contents);
  return contents;
}

/** The one choice that a text is; choices that differ in case or an article only are told apart by them. */
function byContent(text: string, choices: readonly string[]): string | undefined {
  const given = text.replace(/(?:[.,;:?]|(?<=\p{L}{2})!)+$/u, '');
  const givenKeys = textKeys(given);
  // `x₂` may be `x2` and `x_2`.
  const indexed = given.replace(/(?<=\p{L})[₀-₉]+/gu, (digits) => `_${digits.normalize('NFKC')}`);
  const likely = new Set([givenKeys[0], textKeys(indexed)[0]]);
  const levels: ((content: Content) => boolean)[] = [
    ({ words }) => words === text || words === given,
    ({ keys }) => likely.has(keys[0]),
    ({ keys }) => keys.some((key) => givenKeys.includes(key)),
  ];
  for (const isSame of levels) {
    const found = contentsOf(choices).flatMap((content, index) => (isSame(content) ? [index] : []));
    if (found.length > 0) return found.length === 1 ? letterAt(found[0]) : undefined;
  }
  return undefined;
}

/** The choice with whose content a text begins, the longest such one: `zinc, which resists rust`. */
function beginsWith(text: string, choices: readonly string[]): string | undefined {
  const given = textKeys(text).map((key) => `${key} `);
  const lengths = contentsOf(choices).map(({ keys }) => {
    const begun = keys.filter((key) => given.some((start) => start.startsWith(`${key} `)));
    return Math.max(0, ...begun.map((key) => key.length));
  });
  const longest = Math.max(...lengths);
  return longest === 0 ? undefined : letterAt(lengths.indexOf(longest));
}

function letterAt(index: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + index);
}
