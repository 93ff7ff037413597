const TOKEN = /"[^"\\]*(?:\\[^][^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * JSON as it is written: an integer beyond 2^53, which a number would round, becomes a text of its digits.
 * @throws SyntaxError that quotes nothing of the text
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(/\d{16}/.test(text) ? text.replace(TOKEN, exactly) : text) as unknown;
  } catch (error) {
    // What stands around the place may be an answer, which no report shows.
    const [reason] = (error as Error).message.split(/, (?:\.\.\.)?"|, \.\.\./);
    throw new SyntaxError(reason, { cause: error });
  }
}

function exactly(token: string): string {
  const isRounded = /^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token));
  return isRounded ? `"${token}"` : token;
}
