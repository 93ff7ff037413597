import { parseHTML } from 'linkedom';

const MAX_CHARACTERS = 4_000;

/** The text of a short piece of HTML, such as a search engine's snippet with its marks and entities. */
export function withoutMarkup(html: string): string {
  const { document } = parseHTML(`<!doctype html><html><body>${html.slice(0, MAX_CHARACTERS)}</body></html>`);
  return (document.body.textContent ?? '').replace(/\s+/g, ' ').trim();
}
