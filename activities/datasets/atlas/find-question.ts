import { randomStream } from '../random.js';
import type { QueryCoordinates } from './query-id.js';
import { composeQuestion, everySubject, type Question } from './question.js';
import type { World } from './world.js';

/** The question at these coordinates, always the same one. `world` is the world of `at.datasetSeed`. */
export function findQuestion(world: World, at: QueryCoordinates): Question {
  return at.split === 'train' ? trainingQuestion(world, at) : heldOutQuestion(world, at);
}

function trainingQuestion(world: World, at: Extract<QueryCoordinates, { split: 'train' }>): Question {
  const random = randomStream('atlas/train', at.datasetSeed, at.runSeed, at.step, at.index, at.family);
  const subject = random.pick(everySubject(world.training));
  return composeQuestion(at.family, world, world.training, subject, random);
}

/** Subjects come in a shuffled order without repetition until all are used, so that few questions occur twice. */
function heldOutQuestion(world: World, at: Extract<QueryCoordinates, { split: 'eval' }>): Question {
  const subjects = randomStream('atlas/eval/subjects', at.datasetSeed, at.family).shuffle(everySubject(world.heldOut));
  const random = randomStream('atlas/eval', at.datasetSeed, at.ordinal, at.family);
  return composeQuestion(at.family, world, world.heldOut, subjects[at.ordinal % subjects.length], random);
}
