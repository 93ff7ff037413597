const TEXT = `[bu]?(?:'(?:[^'\\\\]|\\\\.)*'|"(?:[^"\\\\]|\\\\.)*")`;
const ITEM = new RegExp(TEXT, 'gsu');
const LIST = new RegExp(
  `^(?:array\\()?\\[\\s*(?:${TEXT}(?:\\s*,\\s*|\\s+(?=['"bu])|\\s*(?=\\])))*\\](?:,\\s*dtype=\\w+)?\\)?$`,
  'su',
);
const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t' };

/**
 * The texts of a list that a table holds as a text: JSON's `["a", "b"]`, Python's `['a', 'b']`, numpy's `['a' 'b']`.
 * Undefined for any other text: `[1, 2]` may be an interval.
 */
export function quotedList(text: string): string[] | undefined {
  if (!/^(?:array\()?\[/.test(text) || !LIST.test(text)) return undefined;
  return [...text.matchAll(ITEM)].map(([item]) => unescaped(item.replace(/^[bu]/, '').slice(1, -1)));
}

function unescaped(text: string): string {
  return text.replace(/\\(?:u([\da-fA-F]{4})|x([\da-fA-F]{2})|(.))/gsu, (_, unicode, byte, other: string) => {
    const code = (unicode ?? byte) as string | undefined;
    return code === undefined ? (ESCAPES[other] ?? other) : String.fromCharCode(parseInt(code, 16));
  });
}
