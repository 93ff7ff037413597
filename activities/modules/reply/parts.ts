import { flawInValue } from '../../text/json-flaws.js';
import { standingObjectIn, wholeObjectIn, type JsonObject } from './json-object.js';
import { sectionsIn } from './sections.js';

type Labels<Key extends string> = Readonly<Record<Key, readonly string[]>>;

/**
 * The named parts of a reply: of a reply that is JSON as a whole, else of labels at the beginning of lines. If no label of
 * an essential part is there, also of JSON that stands by itself; never of JSON in a sentence, which a model only speaks
 * of, as in `I could send {"tool": "Search"}`. A part that is not there is absent.
 * @param labels key of a part to the names that it may go by, in JSON or as a label
 * @param essential the parts that the reply is asked for
 */
export function partsIn<Key extends string>(
  reply: string,
  labels: Labels<Key>,
  essential: readonly NoInfer<Key>[],
): Partial<Record<Key, string>> {
  const whole = wholeObjectIn(reply);
  if (whole) return partsOf(whole.object, labels);
  const sections = sectionsIn(reply, labels);
  if (essential.some((key) => sections[key] !== undefined)) return sections;
  const standing = standingObjectIn(reply);
  return standing ? { ...sections, ...partsOf(standing.object, labels) } : sections;
}

function partsOf<Key extends string>(object: JsonObject, labels: Labels<Key>): Partial<Record<Key, string>> {
  const byName = new Map(Object.entries(object).map(([name, value]) => [plain(name), value]));
  const parts: Partial<Record<Key, string>> = {};
  for (const [key, names] of Object.entries(labels) as [Key, readonly string[]][]) {
    const name = names.find((candidate) => byName.has(plain(candidate)));
    if (name !== undefined) parts[key] = textOf(byName.get(plain(name)));
  }
  return parts;
}

/** `Sub-Goal`, `sub_goal` and `subGoal` are the same name. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

/** Deeper parts than this are no words of a model: they are left out. */
const MAX_DEPTH = 20;

function textOf(value: unknown, depth = 0): string {
  if (typeof value === 'string') return value.trim();
  if (value === null || value === undefined) return '';
  if (depth > MAX_DEPTH) return '';
  if (Array.isArray(value)) return value.map((part) => textOf(part, depth + 1)).join(', ');
  return typeof value === 'object' && flawInValue(value) !== undefined ? '' : JSON.stringify(value);
}
