import { jsonrepair } from 'jsonrepair';
import { withEscapedBackslashes } from './json-escapes.js';

export type JsonObject = Record<string, unknown>;

/** An object with its text as JSON. */
export interface FoundObject {
  object: JsonObject;
  text: string;
}

interface Span {
  start: number;
  end: number;
}

/** Texts that are longer, or further back, are not repaired, or not even parsed: a reply may consist of braces. */
const MAX_REPAIRED = 128 * 1024;
const MAX_TRIES = 8;
const MAX_PARSED = 1_000;

/**
 * The JSON object that a model's reply holds: the whole reply, else the last code fence that is one, else the last
 * object in the text. If none is JSON as it stands, the last that is after mending what models get wrong: trailing
 * commas, comments, single or curly quotes, `True` and `None`, line ends in strings. Undefined if there is none.
 */
export function jsonObjectIn(reply: string): JsonObject | undefined {
  return jsonTextIn(reply)?.object;
}

/** The same, with its text as JSON. */
export function jsonTextIn(reply: string): FoundObject | undefined {
  return firstOf([reply, ...fencesIn(reply).reverse(), ...bracesIn(reply).map(textOf(reply)).reverse()]);
}

/** The object that the whole reply is, in a fence or not. */
export function wholeObjectIn(reply: string): FoundObject | undefined {
  const text = reply.trim();
  return firstOf([insideFence(text) ?? text]);
}

/** Undefined where the text is not in a fence from beginning to end. */
function insideFence(text: string): string | undefined {
  const start = /^(?:```|~~~)[^\n]*\n/.exec(text)?.[0].length;
  const end = text.length - '```'.length;
  if (start === undefined || !/^(?:```|~~~)$/.test(text.slice(end))) return undefined;
  const inside = text.slice(start, end);
  return inside.slice(inside.trimEnd().length).includes('\n') ? inside.trimEnd() : undefined;
}

/** The last object that stands by itself: in a fence, or on lines that hold nothing else. One in a sentence is quoted. */
export function standingObjectIn(reply: string): FoundObject | undefined {
  const standing = bracesIn(reply).filter((span) => standsAlone(reply, span));
  return firstOf([...fencesIn(reply).reverse(), ...standing.map(textOf(reply)).reverse()]);
}

function standsAlone(text: string, { start, end }: Span): boolean {
  let before = start - 1;
  while (before >= 0 && /[^\S\n]/.test(text[before])) before -= 1;
  let after = end;
  while (after < text.length && /[^\S\n]|[.;]/.test(text[after])) after += 1;
  return (before < 0 || text[before] === '\n') && (after === text.length || text[after] === '\n');
}

function firstOf(candidates: string[]): FoundObject | undefined {
  for (const candidate of candidates.slice(0, MAX_PARSED)) {
    const found = parsed(withEscapedBackslashes(candidate));
    if (found) return found;
  }
  for (const candidate of candidates.slice(0, MAX_TRIES)) {
    const found = parsedAfterRepair(candidate);
    if (found) return found;
  }
  return undefined;
}

function parsed(text: string): FoundObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? { object: value as JsonObject, text: text.trim() } : undefined;
  } catch {
    return undefined;
  }
}

/** Only what is an object from brace to brace: nothing is added to a text that was cut off, or made of prose. */
function parsedAfterRepair(candidate: string): FoundObject | undefined {
  const text = candidate.trim();
  const isWhole = text.startsWith('{') && text.endsWith('}') && text.length <= MAX_REPAIRED;
  // Of texts in three quotes, and of values that JSON has no word for, a repair makes something else.
  if (!isWhole || /"""|'''|:\s*(?:undefined|NaN|-?Infinity)\b/.test(text)) return undefined;
  try {
    return parsed(jsonrepair(withEscapedBackslashes(text)));
  } catch {
    return undefined;
  }
}

/** What stands in code fences that begin and end on lines of their own. */
function fencesIn(text: string): string[] {
  const found: string[] = [];
  let open: { mark: string; lines: string[] } | undefined;
  for (const line of text.split('\n')) {
    const [, mark, info] = /^[ \t]*(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
    if (open && mark?.startsWith(open.mark) && info.trim() === '') {
      found.push(open.lines.join('\n'));
      open = undefined;
    } else if (open) open.lines.push(line);
    else if (mark) open = { mark, lines: [] };
  }
  return found;
}

/**
 * Where a brace opens and the one after it that closes it, the outermost ones in order; braces in strings do not count, and no string goes
 * over the end of a line. In one pass: a reply may consist of braces.
 */
function bracesIn(text: string): Span[] {
  const open: number[] = [];
  const found: Span[] = [];
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const letter = text[i];
    if (letter === '\n') quoted = false;
    else if (quoted) {
      if (letter === '\\') i += 1;
      else if (letter === '"') quoted = false;
    } else if (letter === '"') quoted = open.length > 0;
    else if (letter === '{') open.push(i);
    else if (letter === '}' && open.length > 0) {
      const start = open.pop()!;
      while (found.length > 0 && found[found.length - 1].start > start) found.pop();
      found.push({ start, end: i + 1 });
    }
  }
  return found;
}

function textOf(text: string): (span: Span) => string {
  return ({ start, end }) => text.slice(start, end);
}
