import { jsonObjectIn, type JsonObject } from './json-object.js';
import { sectionsIn } from './sections.js';

type Labels<Key extends string> = Readonly<Record<Key, readonly string[]>>;

/**
 * The named parts of a reply, whether it is JSON or labelled text. A part that is not there is absent.
 * @param labels key of a part to the names that it may go by, in JSON or as a label
 */
export function partsIn<Key extends string>(reply: string, labels: Labels<Key>): Partial<Record<Key, string>> {
  const object = jsonObjectIn(reply);
  const fromJson = object ? partsOf(object, labels) : {};
  return Object.keys(fromJson).length > 0 ? fromJson : sectionsIn(reply, labels);
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

function textOf(value: unknown): string {
  if (typeof value === 'string') return value.trim();
  if (value === null || value === undefined) return '';
  return Array.isArray(value) ? value.map(textOf).join(', ') : JSON.stringify(value);
}
