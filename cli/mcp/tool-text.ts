import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { harmless } from '../context.js';

/** Characters of a result at most: assistants refuse, or lose, what fills their context. */
const LONGEST = 20_000;

/** The first half of a character whose second was cut off. */
const HALF = /[\uD800-\uDBFF]$/;

/** A result in words. What is cut off is said, with `more`: how the rest is had. */
export function toolText(text: string, more = 'Ask for less.'): CallToolResult {
  return { content: [{ type: 'text', text: bounded(harmless(text), more) }] };
}

function bounded(text: string, more: string): string {
  if (text.length <= LONGEST) return text;
  const note = `\n[${text.length} characters in all; the rest is cut off. ${more}]`;
  return `${text.slice(0, LONGEST - note.length).replace(HALF, '')}${note}`;
}
