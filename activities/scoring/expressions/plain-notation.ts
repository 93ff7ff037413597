import { withAppliedFunctions } from './applied-functions.js';
import { NotComparable } from './not-comparable.js';

const GREEK =
  'alpha beta gamma delta epsilon theta lambda mu nu rho sigma tau phi omega zeta kappa xi chi psi eta'.split(' ');
const SYMBOLS: readonly [RegExp, string | ((match: string, ...groups: string[]) => string)][] = [
  [/[×·]/g, ' * '],
  [/÷/g, ' / '],
  [/[–—]/g, '-'],
  [/\\infty(?![a-zA-Z])|∞/g, ' oo '],
  [/\\pi(?![a-zA-Z])|π/g, ' pi '],
  [/(?<![a-zA-Z])infinity(?![a-zA-Z])/g, ' oo '],
  [/√/g, '\\sqrt'],
  [/[₀-₉]+/g, (lowered) => `_{${[...lowered].map((digit) => digit.charCodeAt(0) - '₀'.charCodeAt(0)).join('')}}`],
  [/_\s*\{(\w)\}/g, '_$1 '],
  [/\\[lr]vert(?![a-zA-Z])/g, '|'],
  [/\\[dt]?binom(?![a-zA-Z])/g, '\\binom'],
  [/\{([^{}]*)\\choose(?![a-zA-Z])([^{}]*)\}/g, '\\binom{$1}{$2}'],
  [/(\d*)\.(\d*)\\(?:overline|bar|dot)\s*(?:\{(\d{1,30})\}|(\d))/g, (_, ...digits: string[]) => repeating(digits)],
  [/\\mathop|\\ldotp/g, ' '],
  [/\*\*/g, '^'],
];

/** A text without wrappings, LaTeX or plain mathematics, in the notation of the parser. @throws NotComparable */
export function plainNotation(text: string): string {
  let plain = text;
  for (const [pattern, replacement] of SYMBOLS) plain = plain.replace(pattern, replacement as string);
  plain = withAppliedFunctions(withoutCommands(plain).replace(/[{[]/g, '(').replace(/[}\]]/g, ')'));
  plain = withGreek(plain)
    .replace(/\|([^|]+)\|/g, 'abs($1)')
    .replace(/^\s*[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?\s*$/, (number) => number.replaceAll(',', ''))
    .trim();
  if (plain.includes('\\')) throw new NotComparable(`not understood: ${plain.slice(0, 60)}`);
  return plain;
}

/** Rewrites fractions, binomials and roots. */
function withoutCommands(text: string): string {
  let rest = text;
  for (;;) {
    const command = /\\(frac|binom|sqrt)(?![a-zA-Z])/.exec(rest);
    if (!command) break;
    const start = command.index;
    const after = start + command[0].length;
    const rewritten = command[1] === 'sqrt' ? root(rest, after) : fraction(rest, after, command[1] === 'binom');
    rest = rest.slice(0, start) + rewritten;
  }
  return rest;
}

function withGreek(text: string): string {
  let rest = text;
  for (const name of GREEK) rest = rest.replace(new RegExp(`\\\\(?:var)?${name}(?![a-zA-Z])`, 'g'), ` ${name} `);
  return rest;
}

function fraction(text: string, position: number, isBinomial: boolean): string {
  const above = argument(text, position);
  const below = argument(text, above.end);
  const [n, k] = [`(${above.content})`, `(${below.content})`];
  return `${isBinomial ? `(${n}!/(${k}!*(${n}-${k})!))` : `(${n}/${k})`}${text.slice(below.end)}`;
}

/** `0.1\overline{6}` is a fraction. */
function repeating([whole, start, braced, single]: string[]): string {
  const period = braced ?? single;
  const all = BigInt(`${whole}${start}${period}`) - BigInt(`0${whole}${start}`);
  return `(${all}/(${'9'.repeat(period.length)}${'0'.repeat(start.length)}))`;
}

function root(text: string, position: number): string {
  const order = /^\s*\[([^\]]*)\]/.exec(text.slice(position));
  const radicand = argument(text, position + (order?.[0].length ?? 0));
  const rest = text.slice(radicand.end);
  if (order?.[1].trim() === '3') return `cbrt(${radicand.content})${rest}`;
  return order ? `((${radicand.content})^(1/(${order[1]})))${rest}` : `sqrt(${radicand.content})${rest}`;
}

/** What a command takes: a group in braces or parentheses, a number's one digit, or a letter. */
function argument(text: string, position: number): { content: string; end: number } {
  const start = position + /^\s*/.exec(text.slice(position))![0].length;
  const opening = text[start];
  if (opening !== '{' && opening !== '(') {
    const greedy = text.slice(position - 4, position) === 'sqrt' ? /^\d+/ : /^[0-9a-zA-Z]/;
    const simple = greedy.exec(text.slice(start))?.[0] ?? /^[0-9a-zA-Z]/.exec(text.slice(start))?.[0];
    if (simple === undefined) throw new NotComparable('a fraction or root without its argument');
    return { content: simple, end: start + simple.length };
  }
  const closing = opening === '{' ? '}' : ')';
  let depth = 0;
  for (let end = start; end < text.length; end += 1) {
    if (text[end] === opening) depth += 1;
    if (text[end] === closing) depth -= 1;
    if (depth === 0) return { content: text.slice(start + 1, end), end: end + 1 };
  }
  throw new NotComparable('a brace that is not closed');
}
