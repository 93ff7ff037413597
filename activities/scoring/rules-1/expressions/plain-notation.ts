/** The text is no expression that can be compared. */
export class NotComparable extends Error {
  override readonly name = 'NotComparable';
}

/** LaTeX that changes how a thing looks and not what it is. */
const DECORATION =
  /\\(?:left|right|displaystyle|bigl?|bigr|Bigl?|Bigr|limits|,|;|!|:|quad|qquad|thinspace|ldotp|mathop)(?![a-zA-Z])|\\[ ]|~|\$/g;
const GREEK =
  'alpha beta gamma delta epsilon theta lambda mu nu rho sigma tau phi omega zeta kappa xi chi psi eta'.split(' ');
const FUNCTIONS = 'sin cos tan cot sec csc sinh cosh tanh arcsin arccos arctan ln log exp'.split(' ');
const SYMBOLS: readonly [RegExp, string][] = [
  [/\\(?:cdot|times|ast)(?![a-zA-Z])|[×·⋅∙]/g, ' * '],
  [/\\div(?![a-zA-Z])|÷/g, ' / '],
  [/[−–]/g, '-'],
  [/\\infty(?![a-zA-Z])|∞/g, ' oo '],
  [/\\pi(?![a-zA-Z])|π/g, ' pi '],
  [/√/g, '\\sqrt'],
  [/\\operatorname\s*\{([a-zA-Z]+)\}/g, '\\$1'],
  [/\\(?:text|mathrm|mathbf|textbf|mbox)\s*\{([^{}]*)\}/g, ' $1 '],
  [/\^\s*\{?\s*\\circ\s*\}?|°/g, ''],
  [/\\?%/g, ''],
  [/\\[dt]frac/g, '\\frac'],
  [/\*\*/g, '^'],
];

/** LaTeX or plain mathematics in the notation of the parser. @throws NotComparable */
export function plainNotation(text: string): string {
  let plain = text.replace(/^\\[([]|\\[)\]]$/g, '').replace(DECORATION, ' ');
  for (const [pattern, replacement] of SYMBOLS) plain = plain.replace(pattern, replacement);
  plain = withoutCommands(plain)
    .replace(/[{[]/g, '(')
    .replace(/[}\]]/g, ')')
    .replace(/\|([^|]+)\|/g, 'abs($1)')
    .replace(/^\s*[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?\s*$/, (number) => number.replaceAll(',', ''))
    .trim();
  if (plain.includes('\\')) throw new NotComparable(`not understood: ${plain.slice(0, 60)}`);
  return plain;
}

/** Rewrites fractions, roots, greek letters and functions, from the innermost argument outwards. */
function withoutCommands(text: string): string {
  let rest = text;
  for (;;) {
    const command = /\\(frac|sqrt)(?![a-zA-Z])/.exec(rest);
    if (!command) break;
    const start = command.index;
    const after = start + command[0].length;
    const rewritten = command[1] === 'frac' ? fraction(rest, after) : root(rest, after);
    rest = rest.slice(0, start) + rewritten;
  }
  for (const name of FUNCTIONS) rest = rest.replace(new RegExp(`\\\\${name}(?![a-zA-Z])`, 'g'), ` ${name}`);
  for (const name of GREEK) rest = rest.replace(new RegExp(`\\\\(?:var)?${name}(?![a-zA-Z])`, 'g'), ` ${name} `);
  return rest;
}

function fraction(text: string, position: number): string {
  const above = argument(text, position);
  const below = argument(text, above.end);
  return `((${above.content})/(${below.content}))${text.slice(below.end)}`;
}

function root(text: string, position: number): string {
  const order = /^\s*\[([^\]]*)\]/.exec(text.slice(position));
  const radicand = argument(text, position + (order?.[0].length ?? 0));
  const rest = text.slice(radicand.end);
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
