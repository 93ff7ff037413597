import type { DrawQueriesInput, EvaluationQueriesInput } from '../../contracts/agent-activities.js';
import { FailureType } from '../../contracts/failures.js';
import type { Query } from '../../contracts/flow.js';
import { nonRetryable } from '../failures/non-retryable.js';
import { answerForm } from './answer-form.js';
import type { Dataset, ListedQuestion } from './dataset.js';
import type { Item } from './items/item.js';
import type { ItemStore } from './items/item-store.js';
import { randomStream } from './random.js';

/**
 * A dataset that is a list of questions. No question is drawn twice in a step before all were; held-out questions come in
 * an order that the dataset's seed shuffles, so that the first of them are a sample.
 */
export class ListDataset implements Dataset {
  constructor(
    readonly name: string,
    private readonly store: ItemStore,
    private readonly upload?: string,
  ) {}

  async draw({ runSeed, step, first, count, dataset }: DrawQueriesInput): Promise<Query[]> {
    const indices = Array.from({ length: count }, (_, offset) => first + offset);
    return this.drawAt(indices, runSeed, step, dataset.seed);
  }

  /** The questions of these draw indices of a step. Fails with BadConfiguration where there is nothing to draw from. */
  async drawAt(indices: readonly number[], runSeed: number, step: number, seed: number): Promise<Query[]> {
    const { training } = await this.store.load(this.name, this.upload);
    if (training.length === 0) {
      throw nonRetryable(
        FailureType.BadConfiguration,
        `The dataset "${this.name}" has no training questions: benchmarks are for evaluation only.`,
      );
    }
    const order = randomStream('list/draw', this.name, seed, runSeed, step).shuffle(training);
    return indices.map((index) => this.query(order[index % order.length], seed));
  }

  async evaluation({ dataset, offset, count }: EvaluationQueriesInput): Promise<Query[]> {
    const { heldOut } = await this.store.load(this.name, this.upload);
    const order = randomStream('list/evaluation', this.name, dataset.seed).shuffle(heldOut);
    return order.slice(offset, offset + count).map((item) => this.query(item, dataset.seed));
  }

  async fingerprint(): Promise<string> {
    return (await this.store.load(this.name, this.upload)).sha256;
  }

  async listed(): Promise<{ training: ListedQuestion[]; heldOut: ListedQuestion[] }> {
    const { training, heldOut } = await this.store.load(this.name, this.upload);
    return { training: training.map(asked), heldOut: heldOut.map(asked) };
  }

  private query({ id, family, question, truth }: Item, seed: number): Query {
    const dataset = { name: this.name, seed, ...(this.upload !== undefined && { upload: this.upload }) };
    return { id, dataset, family, question, answerForm: answerForm(truth.kind) };
  }
}

/** Without its truth. */
function asked({ id, question }: Item): ListedQuestion {
  return { id, question };
}
