import type { ModuleActivities, Score, ScoreAnswerInput } from '../../workflows/contracts/agent-activities.js';
import type { TruthSource } from '../datasets/ground-truth.js';
import type { Truth } from '../datasets/items/truth.js';
import { scoreExactNumber } from './exact-number.js';

/** The only place where ground truth is looked up. */
export function createScoringActivities({ truthOf }: { truthOf: TruthSource }): Pick<ModuleActivities, 'scoreAnswer'> {
  return {
    scoreAnswer: async ({ query, answer }: ScoreAnswerInput): Promise<Score> => {
      const { truth, heldOut } = await truthOf(query);
      const value = exactNumber(truth);
      const reward = scoreExactNumber(answer, value);
      if (reward === 1) return { reward, reason: `${answer} is right` };
      const right = heldOut ? '' : `: it is ${value}`;
      return { reward, reason: `${answer.slice(0, 100) || 'no answer'} is wrong${right}` };
    },
  };
}

function exactNumber(truth: Truth): number {
  if (truth.kind === 'exact-number') return truth.value;
  throw new Error(`There is no rule for answers of the kind ${truth.kind} yet.`);
}
