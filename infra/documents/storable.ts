import { DocumentRefused, requireAtMost, type DocumentBounds } from './document-bounds.js';

const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Refuses what could not be kept as it is: numbers that JSON, or a 64-bit float, does not hold, characters that
 * PostgreSQL does not, and keys that mean something to JavaScript. Counts once more: aliases multiply what was written.
 * @param value parsed from JSON or YAML
 * @throws DocumentRefused that says where
 */
export function requireStorable(value: unknown, bounds: DocumentBounds): void {
  const counts = { keys: 0, items: 0 };

  const visit = (part: unknown, path: string, depth: number): void => {
    if (typeof part === 'string') return requireText(part, path);
    if (typeof part === 'number') return requireNumber(part, path);
    if (typeof part !== 'object' || part === null) return;
    requireAtMost(depth, bounds, 'depth');
    if (Array.isArray(part)) {
      counts.items += part.length;
      requireAtMost(counts.items, bounds, 'items');
      part.forEach((item, index) => visit(item, `${path}[${index}]`, depth + 1));
      return;
    }
    for (const [key, member] of Object.entries(part)) {
      counts.keys += 1;
      requireAtMost(counts.keys, bounds, 'keys');
      const place = path ? `${path}.${key}` : key;
      requireKey(key, place, bounds);
      visit(member, place, depth + 1);
    }
  };
  visit(value, '', 1);
}

function requireText(text: string, path: string): void {
  if (text.includes('\0')) throw refused(path, 'holds a NUL character');
  if (LONE_SURROGATE.test(text)) throw refused(path, 'holds half of a surrogate pair, which is no character');
}

function requireNumber(number: number, path: string): void {
  if (!Number.isFinite(number)) throw refused(path, 'is not a finite number');
  if (Math.abs(number) > Number.MAX_SAFE_INTEGER) {
    throw refused(path, 'is a number beyond 2^53 - 1, which would not be kept exactly');
  }
}

function requireKey(key: string, path: string, bounds: DocumentBounds): void {
  requireAtMost(Buffer.byteLength(key), bounds, 'keyBytes');
  if (key === '__proto__') throw refused(path, 'is a key that cannot be used');
  requireText(key, `the key ${JSON.stringify(path)}`);
}

function refused(path: string, reason: string): DocumentRefused {
  const place = path.length > 200 ? `${path.slice(0, 200)}…` : path;
  return new DocumentRefused(`${Buffer.from(place).toString().replaceAll('\0', '\\0') || 'it'} ${reason}`);
}
