import { FailureType } from '../../contracts/failures.js';
import { nonRetryable } from '../failures/non-retryable.js';
import { atlas } from './atlas/atlas.dataset.js';
import type { Dataset } from './dataset.js';
import type { ItemStore } from './items/item-store.js';
import { ListDataset } from './list-dataset.js';
import { MixedDataset } from './mixed-dataset.js';

/** The datasets that the operator registered, by name, and those that projects uploaded. */
export class Datasets {
  private readonly datasets: ReadonlyMap<string, Dataset>;

  constructor(private readonly store: ItemStore) {
    const entries = Object.entries(store.registrations);
    this.datasets = new Map(
      entries.map(([name, entry]): [string, Dataset] => {
        if (name === atlas.name) return [name, atlas];
        if (entry.kind !== 'mix') return [name, new ListDataset(name, store)];
        const parts = Object.entries(entry.mix).map(([part, weight]) => ({
          dataset: new ListDataset(part, store),
          weight,
        }));
        return [name, new MixedDataset(name, parts)];
      }),
    );
  }

  /**
   * Fails with BadConfiguration where no dataset has this name.
   * @param upload its id, if a project uploaded it
   */
  named(name: string, upload?: string): Dataset {
    if (upload !== undefined) return new ListDataset(name, this.store, upload);
    const dataset = this.datasets.get(name);
    if (dataset) return dataset;
    const names = [...this.datasets.keys()].join(', ');
    throw nonRetryable(FailureType.BadConfiguration, `No dataset is called "${name}". Registered datasets: ${names}.`);
  }
}
