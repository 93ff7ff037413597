import { cutText, MEMORY_BYTES } from '../../text/cut-text.js';

/** Where passages come from. */
export interface Source {
  title: string;
  url: string;
}

/** A passage and its place in its source, counted from 1. */
export interface Passage {
  text: string;
  place: number;
  of: number;
  source: Source;
}

/**
 * The best passages, best first, each with its place; as many as fit into a turn's memory (I6). A source is named where
 * it changes.
 */
export function writePassages(ranked: readonly Passage[]): string {
  let written = '';
  let last: Source | undefined;
  for (const { text, place, of, source } of ranked) {
    const heading = source === last ? '' : `${source.title}\n${source.url}\n`.trimStart();
    const entry = `${heading}[passage ${place} of ${of}] ${text}`;
    const longer = written === '' ? cutText(entry) : `${written}\n\n${entry}`;
    if (Buffer.byteLength(longer) > MEMORY_BYTES) return written;
    written = longer;
    last = source;
  }
  return written;
}
