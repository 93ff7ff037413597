import { plainCharacters } from './plain-characters.js';

/**
 * What a text is read as. In mathematics `*` multiplies, `-` before a number is its sign, and LaTeX stays what it is;
 * in words `*` emphasises, and of LaTeX only the text is left.
 */
export type Notation = 'words' | 'mathematics';

type Peel = (text: string, notation: Notation) => string | undefined;

/** More wrappings than anybody uses: a text is not taken apart for ever. */
const MAX_LAYERS = 16;
const TEXT_MACROS =
  'text|textbf|textit|textrm|texttt|textsf|emph|mathrm|mathbf|mathit|mathsf|mathtt|mathbb|mbox|operatorname|bf';
const TEXT_MACRO = new RegExp(`\\\\(?:boxed|fbox|${TEXT_MACROS})\\s*\\{`);
const HTML = 'answer|b|strong|i|em|u|code|p|span|mark|center';
const TICK = /(?<!\s)\s*(?:[✓✔✅☑]\ufe0f?)+$/u;
const QUOTES = ['""', "''", '«»', '‹›', '「」', '『』'];

/**
 * A text, and what is left of it each time one wrapping is taken off: the barest last. Wrappings are Markdown (fences,
 * code, emphasis, headings, lists, quotations), HTML tags of emphasis, the delimiters of mathematics, boxes, text
 * macros, quotation marks, a full stop and a tick after it. `**Paris**.` gives `**Paris**.`, `**Paris**` and `Paris`.
 * The barest has no wrappings inside it either: `\text{(B) } zinc` ends as `(B) zinc`.
 */
export function unwrap(text: string, notation: Notation): string[] {
  const layers = [plainCharacters(text).trim()];
  for (let layer = 0; layer < MAX_LAYERS; layer += 1) {
    const outermost = layers[layer];
    const inner = firstOf(PEELS, outermost, notation) ?? withoutInner(outermost, notation);
    if (inner === outermost || inner === '') break;
    layers.push(inner);
  }
  return layers;
}

/** The barest of the layers of `unwrap`. */
export function bare(text: string, notation: Notation): string {
  return unwrap(text, notation).at(-1)!;
}

/** The end of the group that opens before `start`, whose braces are matched; undefined if it is not closed. */
export function endOfGroup(text: string, start: number): number | undefined {
  let depth = 1;
  for (let position = start; position < text.length; position += 1) {
    if (text[position] === '\\') position += 1;
    else if (text[position] === '{') depth += 1;
    else if (text[position] === '}') depth -= 1;
    if (depth === 0) return position;
  }
  return undefined;
}

const PEELS: readonly Peel[] = [
  fence,
  matching(/^(`+)([^`]+)\1$/, 2),
  matching(new RegExp(`^<(${HTML})>([\\s\\S]*)</\\1>$`, 'i'), 2),
  macro(new RegExp(`^\\\\(?:boxed|fbox|${TEXT_MACROS})\\s*\\{`)),
  matching(/^\$\$([^$]+)\$\$$/, 1),
  matching(/^\$((?:[^$\\]|\\[\s\S])+)\$$/, 1),
  matching(/^\\\(((?:(?!\\[()])[\s\S])+)\\\)$/, 1),
  matching(/^\\\[((?:(?!\\[[\]])[\s\S])+)\\\]$/, 1),
  matching(/^(\*\*|__|\*|_)(?=\S)((?:(?!\1)[\s\S])*\S)\1$/, 2),
  matching(/^(\*\*\*|\*\*|__)(?=\S)([\s\S]*\S)\1$/, 2),
  quotation,
  listMark,
  (text) => (TICK.test(text) ? text.replace(TICK, '') : undefined),
  (text) => (/[^.]\.$|[^.。]。$/.test(text) ? text.slice(0, -1) : undefined),
];

function firstOf(peels: readonly Peel[], text: string, notation: Notation): string | undefined {
  for (const peel of peels) {
    const inner = peel(text, notation)?.trim();
    if (inner) return inner;
  }
  return undefined;
}

function matching(pattern: RegExp, group: number): Peel {
  return (text) => pattern.exec(text)?.[group];
}

/** What stands between two fences. The first may be the longer one, if it is of tildes. */
function fence(text: string): string | undefined {
  const [opening, marks] = /^(`{3,}(?=[^\n`]*\n)|~{3,}(?=[^\n`]*\n))[^\n]*\n/.exec(text) ?? [];
  if (opening === undefined) return undefined;
  const closing = text.slice(opening.length).match(marks[0] === '`' ? /(?<!`)`+$/ : /(?<!~)~+$/)?.[0].length ?? 0;
  const length = marks[0] === '`' ? marks.length : Math.min(marks.length, closing);
  if (length < 3 || closing < length) return undefined;
  return text.slice(opening.length, -length).trimEnd();
}

/** The argument of a macro that is all of the text. */
function macro(opening: RegExp): Peel {
  return (text) => {
    const start = opening.exec(text)?.[0].length;
    return start !== undefined && endOfGroup(text, start) === text.length - 1 ? text.slice(start, -1) : undefined;
  };
}

function quotation(text: string): string | undefined {
  const marks = QUOTES.find(([open, close]) => text.length > 2 && text.startsWith(open) && text.endsWith(close));
  const inner = marks && text.slice(1, -1);
  return inner && !inner.includes(marks[0]) && !inner.includes(marks[1]) ? inner : undefined;
}

/**
 * `## Paris`, `- Paris`, `> Paris`, `1. Paris`. Before a number `-`, `+`, `>` and a single `#` are signs;
 * `2. Bundesliga` is no list of one.
 */
function listMark(text: string): string | undefined {
  if (text.includes('\n')) return undefined;
  return /^(?:#{2,6}|[*•▪◦‣]|(?:#|[-+>]|1[.)])(?!\s*[\d(.\\+-]))\s+(\S.*)$/.exec(text)?.[1];
}

function withoutInner(text: string, notation: Notation): string {
  const plain = text
    .replace(/(?<![\p{L}\p{N}*)])\*\*(?=\S)((?:(?!\*\*).)+?)(?<=\S)\*\*(?![\p{L}\p{N}*(])/gu, '$1')
    .replace(/(?<![\p{L}\p{N}_])__(?=\S)((?:(?!__).)+?)(?<=\S)__(?![\p{L}\p{N}_])/gu, '$1')
    .replace(/`/g, '')
    .replace(/\\([#&_*~])/g, '$1')
    .replace(/\{,\}/g, ',')
    .replace(/(?<=\d)(?:\\[,!;:]|\\ )(?=\d{3}(?!\d))/g, '')
    .replace(
      /(?<!\\)\\(?:(?:left|right|displaystyle|limits|[bB]igg?[lr]?|thinspace|q?quad|[,;!:])(?![a-zA-Z])| )/g,
      ' ',
    )
    .replace(/(?<!\s)\s*\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![a-zA-Z]))|\\degree(?![a-zA-Z])/g, '°')
    .replace(/\\(?:times|ast)(?![a-zA-Z])/g, '×')
    .replace(/\\cdot(?![a-zA-Z])/g, '·')
    .replace(/\\div(?![a-zA-Z])/g, '÷')
    .replace(/\\[dtc]frac(?![a-zA-Z])/g, '\\frac')
    .replace(/\\%/g, '%');
  const open = withoutTextMacros(plain);
  return (notation === 'words' ? inWords(open) : inMathematics(open)).trim();
}

function withoutTextMacros(text: string): string {
  let rest = text;
  for (;;) {
    const found = TEXT_MACRO.exec(rest);
    const start = found && found.index + found[0].length;
    const end = start === null ? undefined : endOfGroup(rest, start);
    if (!found || start === null || end === undefined) return rest;
    rest = `${rest.slice(0, found.index)} ${rest.slice(start, end)} ${rest.slice(end + 1)}`;
  }
}

function inWords(text: string): string {
  return text
    .replace(/(?<![\p{L}\p{N}*])\*(?=\S)([^*\n]*\p{L}[^*\n]*?)(?<=\S)\*(?![\p{L}\p{N}*])/gu, '$1')
    .replace(/\\[()[\]]/g, '')
    .replace(/(?<![\p{L}\p{N}$])\$(?=\S)([^$\n]+?)(?<=\S)\$(?![\p{L}\p{N}$])/gu, '$1')
    .replace(/\\\$/g, '$')
    .replace(/ +/g, ' ');
}

function inMathematics(text: string): string {
  return text.replace(/\\[()[\]]|\\?\$|(?<=\S)~(?=\S)/g, ' ').replace(/ +/g, ' ');
}
