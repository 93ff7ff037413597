import { parseHTML } from 'linkedom';

const MAX_CHARACTERS = 4_000;

/** The text of a short piece of HTML, such as a search engine's snippet with its marks and entities. */
export function withoutMarkup(html: string): string {
  // The library's types are those of a browser, which this project does not load.
  const { document } = parseHTML(
    `<!doctype html><html><body>${html.slice(0, MAX_CHARACTERS)}</body></html>`,
  ) as unknown as { document: { body: { textContent: string } } };
  return document.body.textContent.replace(/\s+/g, ' ').trim();
}
