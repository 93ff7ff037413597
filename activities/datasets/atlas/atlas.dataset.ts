import { canonicalJson } from '../../../infra/artifacts/canonical-json.js';
import { sha256Hex } from '../../../infra/artifacts/sha256.js';
import type { DrawQueriesInput, EvaluationQueriesInput } from '../../../contracts/agent-activities.js';
import type { Query } from '../../../contracts/flow.js';
import type { RunConfig } from '../../../contracts/run-config.js';
import type { Dataset, Passage } from '../dataset.js';
import { articlePassages } from './articles.js';
import { configuredFamilies, drawFamily } from './families.js';
import { findQuestion } from './find-question.js';
import { formatQueryId, type QueryCoordinates } from './query-id.js';
import { wordQuestion } from './question.js';
import { buildWorld, type World } from './world.js';

/** A made-up world of places, so that no model has memorised it and nothing is downloaded. */
export const atlas = {
  name: 'atlas',

  draw({ runSeed, step, first, count, dataset }: DrawQueriesInput): Query[] {
    const world = buildWorld(dataset.seed);
    return Array.from({ length: count }, (_, offset) => first + offset).map((index) =>
      queryAt(world, {
        split: 'train',
        datasetSeed: dataset.seed,
        runSeed,
        step,
        index,
        family: drawFamily(dataset, runSeed, step, index),
      }),
    );
  },

  /** Families take turns, whatever their training weights. */
  evaluation({ dataset, offset, count }: EvaluationQueriesInput): Query[] {
    const world = buildWorld(dataset.seed);
    const families = configuredFamilies(dataset);
    return Array.from({ length: count }, (_, index) => {
      const number = offset + index;
      return queryAt(world, {
        split: 'eval',
        datasetSeed: dataset.seed,
        ordinal: Math.floor(number / families.length),
        family: families[number % families.length],
      });
    });
  },

  passages: (seed: number): Passage[] => articlePassages(buildWorld(seed), seed),

  listed: async () => ({ training: [], heldOut: [] }),

  fingerprint: ({ seed }: RunConfig['dataset']): string => sha256Hex(canonicalJson(atlas.passages(seed))),
} satisfies Dataset & { passages(seed: number): Passage[] };

function queryAt(world: World, at: QueryCoordinates): Query {
  return {
    id: formatQueryId(at),
    dataset: { name: 'atlas', seed: at.datasetSeed },
    family: at.family,
    question: wordQuestion(findQuestion(world, at)),
  };
}
