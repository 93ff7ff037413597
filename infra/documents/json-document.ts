import { DocumentRefused, DOCUMENT_BOUNDS, type DocumentBounds } from './document-bounds.js';
import { JsonScanner } from './json-scanner.js';
import { requireStorable } from './storable.js';

/**
 * Parses JSON into plain data, bounded before it is parsed.
 * @throws DocumentRefused
 */
export function parseJson(text: string, bounds: DocumentBounds = DOCUMENT_BOUNDS): unknown {
  new JsonScanner(bounds).write(Buffer.from(text));
  return parseScannedJson(text, bounds);
}

/** The same for a text whose bytes went through a `JsonScanner` as they arrived. */
export function parseScannedJson(text: string, bounds: DocumentBounds): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DocumentRefused((error as Error).message, { cause: error });
  }
  requireStorable(value, bounds);
  return value;
}
