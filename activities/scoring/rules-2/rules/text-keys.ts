import { plainCharacters } from '../reading/plain-characters.js';

interface Token {
  text: string;
  kind: 'word' | 'number' | 'symbol';
  /** What stands between the token before and this one: space, punctuation, or nothing. */
  before: string;
  /** A word that may be an article, by its case. */
  article: boolean;
}

const LETTERS: Record<string, string> = { ł: 'l', ø: 'o', đ: 'd', ð: 'd', þ: 'th', æ: 'ae', œ: 'oe', ß: 'ss', ı: 'i' };
/** `we're` is not `were`; the apostrophe of `King's` says nothing. */
const WORD = /(?:\p{L}\p{M}*|'(?=\p{L})|(?<=\p{L})[₀-₉])+(?:[\p{L}\p{N}]\p{M}*|(?<=\p{L})[₀-₉])*/u;
const NUMBER = /\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\p{N}+(?:\.\p{N}+)*\p{L}*|(?<![\p{L}\p{N}.])\.\d+/u;
/** Everything that is no punctuation, and `_`, `#`, `%` and their like: `C#`, `$5`, `P=NP`, `__init__`. */
const SIGN = String.raw`[#%@*\\^_]|[^\p{P}\p{L}\p{M}\p{N}\p{Sk}\s]`;
/**
 * What begins a word or a number, or follows a sign: `-5`, `-v`, `--no-verify`, `10^-3`, `!x`, `/etc`, `</b>`; `- 5`
 * too.
 */
const LEADING = String.raw`(?<=^|[\s("'^=<>+*/])-+(?=[^\s\p{Pd}])|^-(?=\s*\p{N})|(?<=\p{Sc})-(?=\p{N})|!(?=[\p{L}\p{N}=])|(?<=^|[\s("'<])/(?=\S)`;
/** What ends a grade, a factorial, feet and inches: `A-`, `5!`, `5'`; not the end of a quotation. */
const TRAILING = String.raw`(?<=[\p{L}\p{N}])-+(?=$|[\s)"'])|(?<=\p{N})!|(?<=^[^"']*\p{N})["'](?!\p{L})`;
/** Between digits: `2-1`, `10:30`, `50/50`, `v1.2`, `1,5`; dashes and slashes between words are punctuation. */
const BETWEEN = String.raw`(?<=\p{N}\s*)[-–:/](?=\s*\p{N})|(?<=\p{N})\.(?=\p{N})|(?<=\p{N})[,;](?=\p{N}{1,2}(?!\p{N}))`;
const SYMBOL = new RegExp([SIGN, LEADING, TRAILING, BETWEEN].join('|'), 'u');
const TOKEN = new RegExp(`(?<word>${WORD.source})|(?<number>${NUMBER.source})|(?<symbol>${SYMBOL.source})`, 'gu');
const CONTRACTION = /'(?=(?:ll|re|ve|d|m|t)$)/;
const ARTICLES = new Set(['a', 'an', 'the']);

/**
 * A text in the forms in which it is compared. Two texts are the same if one form of theirs is: in lower case, without
 * accents of Latin letters, with punctuation as a space or as nothing (`AC/DC`, `ACDC`), with and without articles.
 * What distinguishes stays: signs (`-5`, `A-`), symbols (`C#`, `C++`, `$5`, `5%`), points between digits (`3.10`),
 * signs before and after a word (`-v`, `!x`, `5!`), contractions (`we're`), accents of other scripts (`かぎ`), a letter
 * that is no article (`Vitamin A`). A text of nothing but punctuation or articles is itself.
 */
export function textKeys(text: string): string[] {
  const shorter = withoutArticles(tokensOf(text));
  return [...new Set([...keysWithArticles(text), ...(shorter.length === 0 ? [] : [spaced(shorter), joined(shorter)])])];
}

/** Of the forms of a text those in which articles count. */
export function keysWithArticles(text: string): string[] {
  const tokens = tokensOf(text);
  return tokens.length === 0 ? [plainCharacters(text).trim()] : [...new Set([spaced(tokens), joined(tokens)])];
}

/** Whether two texts are the same in one of their forms. */
export function isSameText(one: string, other: string): boolean {
  const keys = textKeys(other);
  return textKeys(one).some((key) => keys.includes(key));
}

/**
 * Harmonic mean of the precision and the recall of the answer's words, each counted as often as it occurs; of the best
 * truth.
 */
export function wordF1(answer: string, truths: readonly string[]): number {
  const given = wordsOf(answer);
  return truths.reduce((best, truth) => Math.max(best, f1OfWords(given, wordsOf(truth))), 0);
}

/** Harmonic mean of precision and recall of words, each counted as often as it occurs; 0 if they have none in common. */
function f1OfWords(given: readonly string[], wanted: readonly string[]): number {
  const left = new Map<string, number>();
  for (const word of wanted) left.set(word, (left.get(word) ?? 0) + 1);
  const common = given.filter((word) => {
    const count = left.get(word) ?? 0;
    left.set(word, count - 1);
    return count > 0;
  }).length;
  return common === 0 ? 0 : (2 * common) / (given.length + wanted.length);
}

function wordsOf(text: string): string[] {
  const tokens = tokensOf(text);
  return tokens.length === 0 ? textKeys(text).filter(Boolean) : withoutArticles(tokens).map((token) => token.text);
}

function tokensOf(text: string): Token[] {
  const plain = plainCharacters(text).replace(/[™®©]/g, '').replace(/&/g, ' and ');
  let end = 0;
  return [...plain.matchAll(TOKEN)].map((match) => {
    const { word, number } = match.groups as Record<string, string | undefined>;
    const before = plain.slice(end, match.index);
    end = match.index + match[0].length;
    if (word === undefined) {
      return { text: plainNumeral(match[0]), kind: number === undefined ? 'symbol' : 'number', before, article: false };
    }
    const lower = word.toLowerCase();
    const isLower = word === lower || match.index === 0 || lower === 'the';
    return { text: plainWord(lower), kind: 'word', before, article: ARTICLES.has(lower) && isLower };
  });
}

function plainNumeral(text: string): string {
  return text
    .replace(/(?<=\d),/g, '')
    .replace('–', '-')
    .replace(/^\.(?=\d)/, '0.')
    .toLowerCase();
}

function plainWord(lower: string): string {
  const kept = lower.replace(CONTRACTION, '\0').replaceAll("'", '').replace('\0', "'");
  return kept
    .normalize('NFD')
    .replace(/(?<=\p{Script=Latin}\p{M}*)\p{M}/gu, '')
    .replace(/[łøđðþæœßı]/g, (letter) => LETTERS[letter])
    .replace(/[₀-₉]/g, (digit) => String(digit.charCodeAt(0) - '₀'.charCodeAt(0)))
    .normalize('NFC');
}

function spaced(tokens: readonly Token[]): string {
  return tokens.map(({ text }) => text).join(' ');
}

/** Words between which there is punctuation and no space are one: `U.S.A.` is `USA`. Two numbers never are. */
function joined(tokens: readonly Token[]): string {
  const parts = tokens.map(({ text, kind, before }, index) => {
    const previous = tokens[index - 1]?.kind;
    const isOne = before !== '' && !/\s/.test(before) && kind !== 'symbol' && previous !== 'symbol';
    return isOne && (kind === 'word' || previous === 'word') ? text : `${index === 0 ? '' : ' '}${text}`;
  });
  return parts.join('');
}

/** An article stands before a word, with a space between; something else must be left. */
function withoutArticles(tokens: readonly Token[]): readonly Token[] {
  const left = tokens.filter(({ article }, index) => {
    const next = tokens[index + 1];
    return !(article && next && next.kind !== 'symbol' && /^\s+["'(]?$/.test(next.before));
  });
  return left.some(({ text }) => !ARTICLES.has(text)) ? left : tokens;
}
