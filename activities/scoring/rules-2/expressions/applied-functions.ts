import { NotComparable } from './not-comparable.js';

const FUNCTIONS = 'sin cos tan cot sec csc sinh cosh tanh arcsin arccos arctan ln log exp'.split(' ');
const COMMAND = new RegExp(`\\\\(${FUNCTIONS.join('|')})(?![a-zA-Z])|(?<![a-zA-Z\\\\])(log)(?=\\s*_)`, 'g');
const INVERSES = new Set(['sin', 'cos', 'tan']);
/** What a function takes without parentheses: `2x`, `\pi`, `x^2`, `|x|`. */
const BARE_ARGUMENT =
  /^(?:\|[^|]+\||(?:\d+(?:\.\d+)?)?\s*(?:(?:[a-zA-Z](?![a-zA-Z])|\\(?!(?:sin|cos|tan|cot|sec|csc|arc|ln|log|exp))[a-zA-Z]+|pi|oo)\s*)*(?:\^\s*(?:\([^()]*\)|\d|[a-zA-Z]))?)/;
/** Behind these nobody can tell where the argument ends: `\sin x/2`. */
const UNCLEAR = /^\s*[/(!^.]/;

interface Taken {
  content: string;
  end: number;
}

/**
 * LaTeX's functions with their arguments in parentheses: `\sin 2x`, `\sin^2 x`, `\tan^{-1} 1`, `\log_2 8`. Braces must
 * be parentheses by now. @throws NotComparable
 */
export function withAppliedFunctions(text: string): string {
  let rest = text;
  for (;;) {
    const last = [...rest.matchAll(COMMAND)].at(-1);
    if (!last) return rest;
    rest = rest.slice(0, last.index) + applied(last[1] ?? last[2], rest.slice(last.index + last[0].length));
  }
}

function applied(name: string, rest: string): string {
  const base = name === 'log' ? marked(rest, '_') : undefined;
  const power = marked(rest.slice(base?.end ?? 0), '^');
  const start = (base?.end ?? 0) + (power?.end ?? 0);
  const argument = argumentOf(rest.slice(start));
  const after = rest.slice(start + argument.end);
  const isInverse = INVERSES.has(name) && /^\s*-\s*1\s*$/.test(power?.content ?? '');
  if (power && !isInverse && power.content.includes('-')) throw new NotComparable('a negative power of a function');
  const called = `${isInverse ? 'arc' : ''}${name}(${argument.content})`;
  const scaled = base ? `(${called}/log(${base.content}))` : called;
  return power && !isInverse ? ` (${scaled}^(${power.content}))${after}` : ` ${scaled}${after}`;
}

/** The index or power that follows at once: a group, a digit or a letter. */
function marked(text: string, mark: '_' | '^'): Taken | undefined {
  const opening = new RegExp(`^\\s*\\${mark}\\s*`).exec(text)?.[0].length;
  if (opening === undefined) return undefined;
  if (text[opening] === '(') return group(text, opening);
  const content = /^\w/.exec(text.slice(opening))?.[0];
  if (content === undefined) throw new NotComparable('a function with an index or power that is not understood');
  return { content, end: opening + 1 };
}

function argumentOf(text: string): Taken {
  const start = /^\s*(?:sqrt|abs|arc\w+|sinh?|cosh?|tanh?|ln|log)?\s*/.exec(text)![0].length;
  if (text[start] === '(') {
    const { end } = group(text, start);
    return { content: text.slice(0, end), end };
  }
  const content = BARE_ARGUMENT.exec(text.trimStart())![0];
  const end = text.length - text.trimStart().length + content.length;
  if (content.trim() === '' || UNCLEAR.test(text.slice(end))) throw new NotComparable('a function without parentheses');
  return { content, end };
}

function group(text: string, start: number): Taken {
  let depth = 0;
  for (let end = start; end < text.length; end += 1) {
    if (text[end] === '(') depth += 1;
    if (text[end] === ')') depth -= 1;
    if (depth === 0) return { content: text.slice(start + 1, end), end: end + 1 };
  }
  throw new NotComparable('a parenthesis that is not closed');
}
