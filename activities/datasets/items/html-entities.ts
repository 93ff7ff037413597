import { parseHTML } from 'linkedom';
import type { Truth } from './truth.js';

const ENTITY = /&(?:[a-z][a-z\d]{1,30}|#\d{1,7}|#x[\da-f]{1,6});/gi;
const known = new Map<string, string>();

/** With the character in the place of each entity of HTML: `AT&amp;T` is `AT&T`. */
export function withoutEntities(text: string): string {
  return text.replace(ENTITY, (entity) => {
    const character = known.get(entity) ?? characterOf(entity);
    known.set(entity, character);
    return character;
  });
}

/**
 * An answer that was written for HTML is right as a reader sees it too. A mark alone, such as `&amp;`, is asked for as
 * it is.
 */
export function readableToo(truth: Truth): Truth {
  if (truth.kind !== 'text') return truth;
  const readable = new Set(truth.answers.map(withoutEntities).filter((text) => /[\p{L}\p{N}]/u.test(text)));
  const further = [...readable].filter((text) => !truth.answers.includes(text));
  return further.length === 0 ? truth : { kind: 'text', answers: [...truth.answers, ...further] };
}

/** What no one knows stays what it is. */
function characterOf(entity: string): string {
  // The library's types are those of a browser, which this project does not load.
  const { document } = parseHTML(`<!doctype html><html><body>${entity}</body></html>`) as unknown as {
    document: { body: { textContent: string } };
  };
  return document.body.textContent;
}
