import type { DatasetRegistration } from '../../../infra/config/operator/datasets.js';
import { sha256Hex } from '../../../infra/artifacts/sha256.js';
import { FORMATS } from '../formats/index.js';
import { ownColumns } from '../formats/own-columns.js';
import type { Format } from '../formats/format.js';
import { readRows } from '../rows/read-rows.js';
import { RowError } from '../rows/rows.js';
import { identify } from './identify.js';
import type { Item, ParsedItem } from './item.js';

/** A dataset that is read from files. */
export type FileRegistration = Exclude<DatasetRegistration, { kind: 'made' | 'mix' }>;

export interface ReadItems {
  items: Item[];
  /** Records that say the same as another. */
  repeated: number;
  /** Records that are no question of the dataset as it is used here: GAIA's with an attachment, for one. */
  leftOut: number;
  /** Records of a training set that could not be read, with the reason. A benchmark must have none. */
  unreadable: string[];
}

/**
 * Reads every question of a registered file. A benchmark is read whole or not at all: a record that was skipped would
 * vanish from the denominator.
 * @throws RowError
 */
export async function readItems(name: string, registration: FileRegistration): Promise<ReadItems> {
  const format = formatOf(name, registration);
  const parsed: ParsedItem[] = [];
  const unreadable: string[] = [];
  let leftOut = 0;
  for await (const { row, place } of readRows(registration.path, format.columns)) {
    try {
      const item = format.read(row);
      if (item) parsed.push(item);
      else leftOut += 1;
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      const message = `${place}: ${error.message}.`;
      if (registration.kind === 'benchmark') throw new RowError(message, { cause: error });
      unreadable.push(message);
    }
  }
  const { items, repeated } = identify(name, parsed);
  if (items.length > 0) return { items, repeated, leftOut, unreadable };
  throw new RowError(`${registration.path}: no question in it. ${unreadable[0] ?? ''}`.trim());
}

/** The `count` items of smallest hash are held out: a choice that does not depend on the order of the file. */
export function splitItems(items: readonly Item[], count: number): { training: Item[]; heldOut: Item[] } {
  const hashes = new Map(items.map(({ id }) => [id, sha256Hex(`held out ${id}`)]));
  const hashOf = ({ id }: Item): string => hashes.get(id) as string;
  const chosen = new Set([...items].sort((a, b) => (hashOf(a) < hashOf(b) ? -1 : 1)).slice(0, count));
  return {
    training: items.filter((item) => !chosen.has(item)),
    heldOut: items.filter((item) => chosen.has(item)),
  };
}

function formatOf(name: string, registration: FileRegistration): Format {
  switch (registration.kind) {
    case 'benchmark':
      return FORMATS[registration.benchmark];
    case 'training':
      return FORMATS[registration.training];
    case 'own':
      return ownColumns(name, registration);
  }
}
