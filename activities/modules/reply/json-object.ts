export type JsonObject = Record<string, unknown>;

/**
 * The JSON object that a model's reply holds: the whole reply, else the last code fence that is one, else the last
 * object in the text. Undefined where there is none.
 */
export function jsonObjectIn(reply: string): JsonObject | undefined {
  const text = withoutThinking(reply);
  const fences = [...text.matchAll(/```[a-z]*\s*\n?(.*?)```/gis)].map(([, content]) => content);
  for (const candidate of [text, ...fences.reverse(), ...objectsIn(text).reverse()]) {
    const object = parseObject(candidate);
    if (object) return object;
  }
  return undefined;
}

/** Models that reason put it first, between tags; it is not the reply. An end tag without its beginning counts too. */
export function withoutThinking(reply: string): string {
  return reply.replace(/^[^]*<\/think(?:ing)?>/i, '').trim();
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

/** Texts between a brace and the one that closes it, outermost first; braces in strings do not count. */
function objectsIn(text: string): string[] {
  const found: string[] = [];
  for (let start = text.indexOf('{'); start !== -1;) {
    const end = closingBrace(text, start);
    if (end !== undefined) found.push(text.slice(start, end + 1));
    start = text.indexOf('{', (end ?? start) + 1);
  }
  return found;
}

function closingBrace(text: string, start: number): number | undefined {
  let depth = 0;
  let quoted = false;
  for (let i = start; i < text.length; i++) {
    const letter = text[i];
    if (quoted) {
      if (letter === '\\') i += 1;
      else if (letter === '"') quoted = false;
    } else if (letter === '"') quoted = true;
    else if (letter === '{') depth += 1;
    else if (letter === '}') depth -= 1;
    if (depth === 0) return i;
  }
  return undefined;
}
