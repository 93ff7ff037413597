import type { DatasetRegistrations } from '../../../infra/config/operator/datasets.js';
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../infra/artifacts/canonical-json.js';
import { FailureType } from '../../../contracts/failures.js';
import { nonRetryable } from '../../failures/non-retryable.js';
import { askedInTraining } from '../asked-in-training.js';
import { RecentlyUsed } from '../../recently-used.js';
import { pauses } from '../../pauses.js';
import { RowError } from '../rows/rows.js';
import { game24Items } from '../game24/game24-items.js';
import type { Item } from './item.js';
import { readItems, splitItems, type FileRegistration, type ReadItems } from './load-items.js';
import { OverlapFilter, type Overlap } from './overlap.js';

export interface LoadedItems extends Omit<ReadItems, 'items'> {
  training: Item[];
  heldOut: Item[];
  /** Training questions that were left out because they overlap with a benchmark, or are held out in another record. */
  overlapping: Overlap[];
  /** Over every question and truth. */
  sha256: string;
}

export interface FoundItem {
  item: Item;
  heldOut: boolean;
}

/**
 * The questions and truths of every registered dataset that is a list. A file is read once, at its first use. It holds
 * truths: agent modules and tools must not import it; they see questions through a Dataset.
 */
export class ItemStore {
  private readonly loaded = new Map<string, Promise<LoadedItems>>();
  private readonly byId = new Map<string, Promise<Map<string, FoundItem>>>();

  private readonly uploads = new RecentlyUsed<Promise<LoadedItems>>(KEPT_UPLOADS);
  private readonly uploadsById = new RecentlyUsed<Promise<Map<string, FoundItem>>>(KEPT_UPLOADS);

  /** @param openUpload what the file of an upload is read by, if there are any */
  constructor(
    readonly registrations: DatasetRegistrations,
    private readonly openUpload?: OpenUpload,
  ) {}

  /**
   * Fails with BadConfiguration where the dataset is not a registered list or its files cannot be read.
   * @param upload its id, if a project uploaded it
   */
  load(name: string, upload?: string): Promise<LoadedItems> {
    if (upload !== undefined) return this.uploads.get(upload, () => this.readUpload(name, upload));
    return remembered(this.loaded, name, () => this.read(name));
  }

  /** Undefined where the dataset has no such question. Fails as `load` does. */
  async find(name: string, id: string, upload?: string): Promise<FoundItem | undefined> {
    const index = await this.indexed(name, upload);
    return index.get(id);
  }

  private indexed(name: string, upload?: string): Promise<Map<string, FoundItem>> {
    const make = async () => {
      const { training, heldOut } = await this.load(name, upload);
      const found = (item: Item, isHeldOut: boolean): [string, FoundItem] => [item.id, { item, heldOut: isHeldOut }];
      return new Map([...training.map((item) => found(item, false)), ...heldOut.map((item) => found(item, true))]);
    };
    return upload === undefined ? remembered(this.byId, name, make) : this.uploadsById.get(upload, make);
  }

  private async readUpload(name: string, upload: string): Promise<LoadedItems> {
    if (!this.openUpload) throw nonRetryable(FailureType.BadConfiguration, `Nothing is uploaded here: "${name}".`);
    return this.readFile(name, await this.openUpload(upload));
  }

  private async read(name: string): Promise<LoadedItems> {
    const registration = Object.hasOwn(this.registrations, name) ? this.registrations[name] : undefined;
    if (registration?.kind === 'made' && name === 'game24') {
      return complete(name, { ...NOTHING_WRONG, items: game24Items() });
    }
    if (!registration || registration.kind === 'made' || registration.kind === 'mix') {
      throw nonRetryable(FailureType.BadConfiguration, `The dataset "${name}" is not registered as a file.`);
    }
    return this.readFile(name, registration);
  }

  private async readFile(name: string, registration: FileRegistration): Promise<LoadedItems> {
    const read = await readItems(name, registration).catch((error: unknown) => {
      throw error instanceof RowError
        ? nonRetryable(FailureType.BadConfiguration, `Dataset "${name}": ${error.message}`)
        : error;
    });
    if (registration.kind === 'benchmark') return complete(name, read);
    const filter = new OverlapFilter(registration.overlap_words);
    for (const benchmark of registration.exclude_overlap_with) {
      await filter.add(benchmark, (await this.load(benchmark)).heldOut);
    }
    const { kept, overlapping } = await filter.without(read.items);
    return complete(name, { ...read, items: kept }, registration.held_out, overlapping);
  }
}

/** How the file of an upload is read, by the upload's id. */
export type OpenUpload = (upload: string) => Promise<FileRegistration>;

/** Uploads that are kept in memory. */
const KEPT_UPLOADS = 8;

const NOTHING_WRONG = { repeated: 0, leftOut: 0, unreadable: [], notes: [] };

/** A benchmark is all held out: `held` is then every question. What is held out is left out of training in every record. */
export async function complete(
  name: string,
  { items, ...report }: ReadItems,
  held = items.length,
  overlapping: Overlap[] = [],
): Promise<LoadedItems> {
  const { training, heldOut } = await splitItems(items, held);
  const twice = new Map((await askedInTraining(training, heldOut)).map((pair) => [pair.training, pair.heldOut]));
  const split = { training: training.filter(({ id }) => !twice.has(id)), heldOut };
  const left = training.flatMap(({ id, question }) => {
    const same = twice.get(id);
    return same === undefined ? [] : [{ item: id, benchmark: name, question: same, words: question }];
  });
  return { ...report, ...split, overlapping: [...overlapping, ...left], sha256: await digest(split) };
}

/** sha256 of `{ heldOut, training }` as canonical JSON, which need not be held in memory as a whole. */
async function digest({ heldOut, training }: Pick<LoadedItems, 'heldOut' | 'training'>): Promise<string> {
  const pause = pauses();
  const hash = createHash('sha256');
  const add = async (items: readonly Item[]) => {
    for (const [index, item] of items.entries()) {
      hash.update(`${index === 0 ? '' : ','}${canonicalJson(item)}`);
      await pause();
    }
  };
  hash.update('{"heldOut":[');
  await add(heldOut);
  hash.update('],"training":[');
  await add(training);
  return hash.update(']}').digest('hex');
}

/** One computation per key; a failed one is forgotten, so that the next call tries again. */
function remembered<T>(cache: Map<string, Promise<T>>, key: string, compute: () => Promise<T>): Promise<T> {
  const known = cache.get(key);
  if (known) return known;
  const fresh = compute();
  cache.set(key, fresh);
  fresh.catch(() => cache.delete(key));
  return fresh;
}
