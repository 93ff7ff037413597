import { parseJson } from '../rows/parse-json.js';
import { isRow, needText, RowError, scalarText, valueOf, type Row } from '../rows/rows.js';

/**
 * The question in a column: a text, or the one message of the user in a chat. Instructions of the system are for another
 * program.
 * @throws RowError if there is none, or there are several
 */
export function promptText(row: Row, column: string): string {
  const messages = messagesIn(valueOf(row, column));
  if (messages === undefined) return needText(row, column);
  const asked = messages.filter(({ role }) => role === 'user' || role === 'human');
  if (asked.length !== 1) throw new RowError(`has ${asked.length} messages of a user in ${column}, and can have one`);
  const text = contentOf(asked[0].content ?? asked[0].value);
  if (text === '') throw new RowError(`has no text in ${column}`);
  return text;
}

function messagesIn(value: unknown): Row[] | undefined {
  const list = typeof value === 'string' && /^\s*\[\s*\{/.test(value) ? jsonIn(value) : value;
  if (!Array.isArray(list) || list.length === 0 || !list.every(isRow)) return undefined;
  const messages = list.map((message) => ({ ...message, role: message.role ?? message.from }));
  return messages.every(({ role }) => typeof role === 'string') ? messages : undefined;
}

function jsonIn(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** Of a text, or of parts, of which some may be pictures. @throws RowError if one is no text */
function contentOf(content: unknown): string {
  if (!Array.isArray(content)) return scalarText(content) ?? '';
  const texts = content.map((part) => (isRow(part) ? scalarText(part.text) : scalarText(part)));
  if (texts.includes(undefined)) throw new RowError('has a part of its prompt that is no text');
  return texts.join('\n').trim();
}
