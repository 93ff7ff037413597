import { DENIED, TAKEN_BACK } from '../reading/clauses.js';
import type { IsAnswer, Statement } from '../reading/statement.js';
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
/** What allows another answer, or stands in the place of one: `, and so is C`, `(A is also correct)`, `Error`. */
const RIVAL =
  /(?<!\p{L})(?:also|if|unless|so (?:is|are)|as well|too)(?!\p{L})|^\s*[([]?(?:or|and)\s|\([^()]*(?:or|and)\s[A-Z]\s*\)|^\s*(?:errors?|timeout)(?!\p{L})|\b(?:tool|search|request|call)\b[^.]{0,40}\b(?:failed|error|timed out)\b/iu;
/** After a choice's own content: `blue or green`, `blue does not fit`, `blue: this option can be eliminated`. */
const DENIED_CONTENT =
  /^\s*(?:or|and)\s|^[^.!?\n]{0,80}\b(?:eliminated|excluded|ruled out|rejected|incorrect|wrong|does(?:n't| not)|do(?:n't| not)|cannot|can't|is(?:n't| not)|fails?)\b/i;
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
/** Another letter beside the first: `B or C`, `A, B`, `B/C`. */
const ALTERNATIVE =
  /^[\s,]*(?:or|and|\/|&)[\s,]*(?:or\s+)?[([]?[A-Z](?![\p{L}\p{N}])|^[([]?[A-Z][)\]]?(?:[\s,.;]*$|\s*,|\s+(?:or|and)\s)/u;

/**
 * What says of a letter that it is not the answer: `C: wrong`, `C is eliminated`, `C, I don't think so`; not
 * `C, not D`.
 */
const DENIAL = new RegExp(
  "^[^\\p{L}]*(?:(?:this|that|it|which|option|choice|one)(?='s|\\s)\\s*)?(?:is|was|'s|would be|seems|can be|must be)?\\s*(?:\\p{L}+ly\\s+)?" +
    '(?:(?:a|an|the)\\s+)?(?:no|not(?!\\s+[([]?(?:[b-z](?!\\p{L})|a[\\s.)]*$))|wrong|incorrect|false|untrue|invalid|impossible|unlikely|eliminated|excluded|' +
    "rejected|ruled out|out|never|none|neither|cannot|can't|isn't|wasn't|doesn't|unknown|unclear|" +
    "i (?:don't|do not|doubt|cannot|can't|am not|'m not))(?!\\p{L})",
  'iu',
);

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
  return UNDECIDED;
}

/** Whether a text names a choice. */
export function namesChoice(choices: readonly string[]): IsAnswer {
  return (text) => namedBy(text, choices).size > 0;
}

function namedBy(text: string, choices: readonly string[]): Set<string> {
  const lines = text
    .split('\n')
    .map((line) => bare(line, 'words'))
    .filter((line) => line !== '');
  const named = (lines.length > 1 ? lines : [text]).map((line) => namedInLine(line, choices));
  const isDenied = lines
    .slice(1)
    .some((line, index) => named[index + 1].size === 0 && (DENIAL.test(line) || DENIED.test(line)));
  return new Set(isDenied ? [] : named.flatMap((letters) => [...letters]));
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
  if (!isOneOf(letter, choices) || ALTERNATIVE.test(rest) || isRivalled(rest, letter, choices)) return new Set();
  const meant = beginsWith(rest, choices);
  if (
    meant === letter ? DENIAL.test(behindContent(rest, letter, choices)) : DENIAL.test(rest) || isPronoun(letter, text)
  )
    return new Set();
  const later = TAKEN_BACK.test(rest) ? lettersIn(rest, choices) : [];
  return new Set([letter, ...later, ...optionsIn(rest, choices), ...(meant === undefined ? [] : [meant])]);
}

/** Whether what follows a letter allows another answer, or denies the letter's own content. */
function isRivalled(rest: string, letter: string, choices: readonly string[]): boolean {
  if (beginsWith(rest, choices) !== letter) return RIVAL.test(rest);
  const behind = behindContent(rest, letter, choices);
  return RIVAL.test(behind) || DENIED_CONTENT.test(behind);
}

/** `Rome is wrong` without `Rome`; nothing where it is written in another way. */
function behindContent(text: string, letter: string, choices: readonly string[]): string {
  const { words } = contentsOf(choices)[letter.charCodeAt(0) - 'A'.charCodeAt(0)];
  return text.toLowerCase().startsWith(words.toLowerCase()) ? text.slice(words.length) : '';
}

/** Letters with their own content: `Rome, D. Oslo`. */
function optionsIn(text: string, choices: readonly string[]): string[] {
  return [...text.matchAll(/(?<![\p{L}\p{N}])([A-Z])[.):]+\s*/gu)].flatMap(({ 0: sign, 1: letter, index }) =>
    beginsWith(text.slice(index + sign.length, index + sign.length + 500), choices) === letter ? [letter] : [],
  );
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
  const given = text.replace(/[.,;:!?]+$/, '');
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

function lettersIn(text: string, choices: readonly string[]): string[] {
  return (text.match(/\b[A-Z]\b/g) ?? []).filter((letter) => isOneOf(letter, choices));
}

function letterAt(index: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + index);
}
