import { withoutThinking } from './json-object.js';

/**
 * The labelled parts of a reply in words, such as `Sub-Goal: ...`. Labels may be numbered, headings, list items, bold,
 * of any case, and stand on a line of their own. Where one comes more than once, the last wins. A part that is wholly
 * a code fence loses the fence.
 * @param labels key of a part to the names that it may go by
 */
export function sectionsIn<Key extends string>(
  reply: string,
  labels: Readonly<Record<Key, readonly string[]>>,
): Partial<Record<Key, string>> {
  const found: Partial<Record<Key, string>> = {};
  let open: { key: Key; lines: string[] } | undefined;
  const close = () => {
    if (open) found[open.key] = withoutFence(open.lines.join('\n').trim());
  };
  for (const line of withoutThinking(reply).split('\n')) {
    const heading = headingOf(line, labels);
    if (heading) {
      close();
      open = { key: heading.key, lines: [heading.rest] };
    } else open?.lines.push(line);
  }
  close();
  return found;
}

/** What may stand before a label: `### `, `2. `, `3) `, `- `, `> `, `**`. */
const BEFORE = /^[\s>]*(?:#{1,6}\s*)?(?:[-*+]\s+)?(?:\(?\d{1,2}[.)]\s*)?[*_`]*\s*(?:\d{1,2}[.)]\s*)?/;

function headingOf<Key extends string>(
  line: string,
  labels: Readonly<Record<Key, readonly string[]>>,
): { key: Key; rest: string } | undefined {
  const text = line.replace(BEFORE, '');
  for (const [key, names] of Object.entries(labels) as [Key, readonly string[]][]) {
    for (const name of names) {
      const rest = afterLabel(text, name);
      if (rest !== undefined) return { key, rest };
    }
  }
  return undefined;
}

/** Markup and a colon with the part's first line, or nothing else. */
const AFTER = /\s*[*_`]*\s*(?:[:：]\s*[*_]*\s*(.*)|)$/.source;

/** What follows the label and its colon. A label without a colon must be alone on its line. */
function afterLabel(text: string, name: string): string | undefined {
  const pattern = name.replace(/[- ]/g, '[-_ ]?');
  const match = new RegExp(`^${pattern}${AFTER}`, 'i').exec(text);
  return match ? (match[1] ?? '') : undefined;
}

function withoutFence(text: string): string {
  return /^```[a-z]*\n?([^]*?)\n?```$/i.exec(text)?.[1].trim() ?? text;
}
