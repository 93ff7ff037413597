/** What a document from outside may hold at most. Each is far above what any sensible one has. */
export interface DocumentBounds {
  /** Objects and arrays inside each other. */
  depth: number;
  /** Keys of all objects together. */
  keys: number;
  /** Items of all arrays together. */
  items: number;
  /** Bytes of one key. */
  keyBytes: number;
  /** Bytes of one string. */
  stringBytes: number;
  /** Characters of one number. */
  numberLength: number;
}

export const DOCUMENT_BOUNDS: DocumentBounds = {
  depth: 64,
  keys: 5_000,
  items: 20_000,
  keyBytes: 256,
  stringBytes: 1024 * 1024,
  numberLength: 64,
};

/** A document is none that can be accepted. The message says why, and where if that is known. */
export class DocumentRefused extends Error {
  override readonly name = 'DocumentRefused';
}

/** @throws DocumentRefused where a count is above its bound */
export function requireAtMost(count: number, bounds: DocumentBounds, bound: keyof DocumentBounds): void {
  if (count > bounds[bound]) throw new DocumentRefused(EXCESSES[bound](bounds[bound]));
}

const EXCESSES: Record<keyof DocumentBounds, (most: number) => string> = {
  depth: (most) => `it is nested too deeply: more than ${most} objects and lists inside each other`,
  keys: (most) => `it has more than ${most} keys`,
  items: (most) => `its lists have more than ${most} items`,
  keyBytes: (most) => `a key is longer than ${most} bytes`,
  stringBytes: (most) => `a text is longer than ${most} bytes`,
  numberLength: (most) => `a number is written with more than ${most} characters`,
};
