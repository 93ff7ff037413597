import { sha256Hex } from '../../infra/artifacts/sha256.js';
import { canonicalJson } from '../../infra/artifacts/canonical-json.js';
import type { DrawQueriesInput, EvaluationQueriesInput } from '../../contracts/agent-activities.js';
import type { Query } from '../../contracts/flow.js';
import type { RunConfig } from '../../contracts/run-config.js';
import type { Dataset, ListedQuestion } from './dataset.js';
import type { ListDataset } from './list-dataset.js';
import { randomStream } from './random.js';
import { weightedTurn } from './weighted-turn.js';

/** Training sets drawn from in given proportions; their held-out questions take turns. */
export class MixedDataset implements Dataset {
  constructor(
    readonly name: string,
    private readonly parts: readonly { dataset: ListDataset; weight: number }[],
  ) {}

  async draw({ runSeed, step, first, count, dataset }: DrawQueriesInput): Promise<Query[]> {
    const start = randomStream('mix/part', this.name, dataset.seed, runSeed, step).fraction();
    const weights = this.parts.map(({ weight }) => weight);
    const drawn = new Map<number, Query>();
    const indices = Array.from({ length: count }, (_, offset) => first + offset);
    for (const [position, part] of this.parts.entries()) {
      const own = indices.filter((index) => weightedTurn(weights, start, index) === position);
      const queries = await part.dataset.drawAt(own, runSeed, step, dataset.seed);
      for (const [place, query] of queries.entries()) drawn.set(own[place], query);
    }
    return indices.map((index) => drawn.get(index) as Query);
  }

  async evaluation({ dataset, offset, count }: EvaluationQueriesInput): Promise<Query[]> {
    const lists = await Promise.all(
      this.parts.map((part) => part.dataset.evaluation({ dataset, offset: 0, count: offset + count })),
    );
    const longest = Math.max(...lists.map((list) => list.length));
    const inTurn = Array.from({ length: longest }, (_, index) => lists.flatMap((list) => list.slice(index, index + 1)));
    return inTurn.flat().slice(offset, offset + count);
  }

  async listed(): Promise<{ training: ListedQuestion[]; heldOut: ListedQuestion[] }> {
    const parts = await Promise.all(this.parts.map(({ dataset }) => dataset.listed()));
    return { training: parts.flatMap(({ training }) => training), heldOut: parts.flatMap(({ heldOut }) => heldOut) };
  }

  async fingerprint(_dataset: RunConfig['dataset']): Promise<string> {
    const parts = this.parts.map(async ({ dataset, weight }) => [dataset.name, weight, await dataset.fingerprint()]);
    return sha256Hex(canonicalJson(await Promise.all(parts)));
  }
}
