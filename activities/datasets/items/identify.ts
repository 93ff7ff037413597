import { canonicalJson } from '../../../infra/artifacts/canonical-json.js';
import { sha256Hex } from '../../../infra/artifacts/sha256.js';
import { pauses } from '../../pauses.js';
import type { Item, ParsedItem } from './item.js';

const ID_LENGTH = 120;

/**
 * Gives every question an id that is its alone and does not depend on its place in the file: the record's own; where
 * several different records carry the same one, that with a part of the hash of the record. Repetitions of a whole record
 * are dropped and counted.
 */
export async function identify(
  dataset: string,
  parsed: readonly ParsedItem[],
): Promise<{ items: Item[]; repeated: number; sharedIds: number }> {
  const pause = pauses();
  const byHash = new Map<string, ParsedItem>();
  for (const item of parsed) {
    byHash.set(sha256Hex(canonicalJson(item)), item);
    await pause();
  }
  const distinct = [...byHash];
  const uses = new Map<string, number>();
  for (const [, { id }] of distinct) if (id !== undefined) uses.set(id, (uses.get(id) ?? 0) + 1);
  const items: Item[] = [];
  for (const [hash, item] of distinct) {
    const own = item.id?.slice(0, ID_LENGTH);
    const unique = own !== undefined && uses.get(item.id as string) === 1 && own === item.id;
    const id = unique ? own : [own, hash.slice(0, 12)].filter((part) => part !== undefined).join('~');
    items.push({ ...item, id: `${dataset}:${id}` });
    await pause();
  }
  const shared = [...uses.values()].filter((count) => count > 1);
  return { items, repeated: parsed.length - distinct.length, sharedIds: shared.reduce((sum, count) => sum + count, 0) };
}
