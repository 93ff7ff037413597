import type { ModuleActivities, Score, ScoreAnswerInput } from '../../workflows/contracts/agent-activities.js';
import { groundTruth } from '../datasets/ground-truth.js';
import { scoreExactNumber } from './exact-number.js';

/** The only place where ground truth is looked up. */
export function createScoringActivities(): Pick<ModuleActivities, 'scoreAnswer'> {
  return {
    scoreAnswer: async ({ query, answer }: ScoreAnswerInput): Promise<Score> => {
      const truth = groundTruth(query);
      const reward = scoreExactNumber(answer, truth.answer);
      if (reward === 1) return { reward, reason: `${answer} is right` };
      const right = truth.heldOut ? '' : `: it is ${truth.answer}`;
      return { reward, reason: `${answer.slice(0, 100) || 'no answer'} is wrong${right}` };
    },
  };
}
