import type { FileBenchmark, TrainingSet } from '../../../infra/datasets/sources.js';
import { gaia } from './gaia.js';
import { gpqa } from './gpqa.js';
import { medqa } from './medqa.js';
import { deepMath, numericProblems } from './mathematics.js';
import { hopsOf, questionAnswering } from './question-answering.js';
import type { Format } from './format.js';

/** Every published dataset that can be fetched and read. */
export const FORMATS: Record<FileBenchmark | TrainingSet, Format> = {
  bamboogle: questionAnswering('two-hop'),
  '2wiki': questionAnswering('multi-hop'),
  hotpotqa: questionAnswering('multi-hop'),
  musique: questionAnswering('multi-hop', hopsOf),
  gaia,
  aime24: numericProblems('competition'),
  amc23: numericProblems('competition'),
  gpqa,
  medqa,
  nq: questionAnswering('search'),
  deepmath: deepMath,
};
