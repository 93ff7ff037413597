import { FailureType } from '../../../contracts/failures.js';
import { nonRetryable } from '../../failures/non-retryable.js';
import { FAMILIES, type Family } from './question.js';

/** The coordinates of a question: all that is needed to compose it again. */
export type QueryCoordinates = { datasetSeed: number; family: Family } & (
  | { split: 'train'; runSeed: number; step: number; index: number }
  /** `ordinal` counts the held-out questions of one family. */
  | { split: 'eval'; ordinal: number }
);

const PATTERN = /^atlas:(\d+):(?:train:(\d+):(\d+):(\d+)|eval:(\d+)):([a-z-]+)$/;

/** `atlas:7:train:<run seed>:<step>:<index>:<family>` or `atlas:7:eval:<ordinal>:<family>`. */
export function formatQueryId(at: QueryCoordinates): string {
  const place = at.split === 'train' ? `train:${at.runSeed}:${at.step}:${at.index}` : `eval:${at.ordinal}`;
  return `atlas:${at.datasetSeed}:${place}:${at.family}`;
}

/** Fails with NotFound where the id is not one that `formatQueryId` makes. */
export function parseQueryId(id: string): QueryCoordinates {
  const match = PATTERN.exec(id);
  const family = FAMILIES.find((name) => name === match?.[6]);
  if (!match || !family) {
    throw nonRetryable(FailureType.NotFound, `The dataset atlas has no question "${id}".`);
  }
  const [datasetSeed, runSeed, step, index, ordinal] = match.slice(1, 6).map(Number);
  return match[5] === undefined
    ? { datasetSeed, family, split: 'train', runSeed, step, index }
    : { datasetSeed, family, split: 'eval', ordinal };
}
