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
  const patterns = patternsOf(labels);
  const found: Partial<Record<Key, string>> = {};
  let open: { key: Key; lines: string[] } | undefined;
  const close = () => {
    if (open) found[open.key] = withoutFence(open.lines.join('\n').trim());
  };
  for (const line of reply.split('\n')) {
    const heading = headingOf(line, patterns);
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

type Patterns<Key extends string> = readonly { key: Key; pattern: RegExp }[];

/** Markup and a colon, or nothing else on the line. No two of its repetitions can share a character: a line may be long. */
const AFTER = /\s*(?:[*_`]+\s*)?(?:[:：]\s*(?:[*_]+\s*)?|$)/.source;

/** Each label with what may follow it. One without a colon must be alone on its line. */
function patternsOf<Key extends string>(labels: Readonly<Record<Key, readonly string[]>>): Patterns<Key> {
  return (Object.entries(labels) as [Key, readonly string[]][]).flatMap(([key, names]) =>
    names.map((name) => ({ key, pattern: new RegExp(`^${name.replace(/[- ]/g, '[-_ ]?')}${AFTER}`, 'i') })),
  );
}

function headingOf<Key extends string>(line: string, patterns: Patterns<Key>): { key: Key; rest: string } | undefined {
  const text = line.replace(BEFORE, '');
  for (const { key, pattern } of patterns) {
    const match = pattern.exec(text);
    const rest = match && text.slice(match[0].length);
    if (rest !== null && !/[\r\u2028\u2029]/.test(rest)) return { key, rest };
  }
  return undefined;
}

function withoutFence(text: string): string {
  return /^```[a-z]*\n?([^]*?)\n?```$/i.exec(text)?.[1].trim() ?? text;
}
