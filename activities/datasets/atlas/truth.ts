import { findQuestion } from './find-question.js';
import { parseQueryId } from './query-id.js';
import type { Operator, Question } from './question.js';
import { buildWorld, factOf, type World } from './world.js';

/** Ground truth of a question, found again from its id. Only scoring may import this file. */
export function atlasTruth(queryId: string): { answer: number; heldOut: boolean } {
  const at = parseQueryId(queryId);
  const world = buildWorld(at.datasetSeed);
  return { answer: solve(findQuestion(world, at), world), heldOut: at.split === 'eval' };
}

function solve(question: Question, world: World): number {
  switch (question.family) {
    case 'arithmetic':
      return apply(question.left, question.operator, question.right);
    case 'lookup':
      return factOf(world, question.place, question.attribute);
    case 'two-hop':
      return apply(factOf(world, question.place, question.attribute), question.operator, question.right);
    case 'comparison':
      return factOf(world, question.larger, question.attribute) - factOf(world, question.smaller, question.attribute);
    case 'sum':
      return factOf(world, question.first, question.attribute) + factOf(world, question.second, question.attribute);
  }
}

function apply(left: number, operator: Operator, right: number): number {
  switch (operator) {
    case 'plus':
      return left + right;
    case 'minus':
      return left - right;
    case 'times':
      return left * right;
  }
}
