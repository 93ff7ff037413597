/**
 * Commands of LaTeX that begin with a letter that JSON knows after a backslash, and that as JSON would be a control
 * character and the rest of a word: `\frac` a form feed and `rac`. No text or code has such a rest.
 */
const CERTAIN = new RegExp(
  String.raw`^\\(?:[bf][a-zA-Z]|` +
    String.raw`(?:nabla|newline|notin|rho|right\w*|rangle|rceil|rfloor|rbrace|theta|times|triangle\w*|therefore)(?![a-z])|` +
    String.raw`neq(?=\s*[-\\\w{(])|t(?:ext\w*|frac|ilde|anh?)(?=[{(^\\]))`,
);
/** Those whose rest is a word or a name too, such as `i` in `\ni`: they are commands only beside certain ones. */
const POSSIBLE = /^\\(?:n(?:e|eg|u|i|ot)|t(?:o|au|op|anh?))(?![a-zA-Z])/;
/** What JSON knows no such escape for, so that its author wanted the backslash: `\alpha`, `\(`, `\d`. */
const UNKNOWN = /^\\(?!["\\/bfnrt'_]|u[\da-fA-F]{4})/;

/**
 * Writes the backslashes of a JSON text's strings as JSON wants them, if its author wrote LaTeX, a path or a pattern with
 * single ones: `{"a": "\frac{1}{2}"}` becomes `{"a": "\\frac{1}{2}"}`. Escapes that mean what they say stay as they are.
 */
export function withEscapedBackslashes(json: string): string {
  return json.includes('\\') ? json.replace(STRING, (string) => repaired(string)) : json;
}

/**
 * With the quotes of JSON, or those that a repair takes for them. A string that is not closed goes to the end of the text: were
 * it looked for again from each quote in it, that would take the square of its length.
 */
const STRING =
  /"[^"\\]*(?:\\[^][^"\\]*)*(?:"|\\?$)|'[^'\\]*(?:\\[^][^'\\]*)*(?:'|\\?$)|“[^”\\]*(?:\\[^][^”\\]*)*(?:”|\\?$)/g;
const ESCAPE = /\\[^]/g;
/** A command is not longer. */
const LONGEST = 24;

function repaired(string: string): string {
  let isLatex = false;
  for (const { index } of string.matchAll(ESCAPE)) {
    const here = string.slice(index, index + LONGEST);
    isLatex ||= CERTAIN.test(here) || UNKNOWN.test(here);
  }
  return string.replace(ESCAPE, (escape: string, index: number) => {
    const here = string.slice(index, index + LONGEST);
    if (CERTAIN.test(here) || (isLatex && POSSIBLE.test(here))) return `\\${escape}`;
    // Markdown escapes underscores, JavaScript apostrophes.
    if (escape === "\\'" || (escape === '\\_' && !isLatex)) return escape.slice(1);
    return UNKNOWN.test(here) || escape === '\\_' ? `\\${escape}` : escape;
  });
}
