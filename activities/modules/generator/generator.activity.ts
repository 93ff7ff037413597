import type { GenerateAnswerInput, ModuleActivities } from '../../../workflows/contracts/agent-activities.js';
import { OUTSIDE_TURNS, type TurnStore } from '../../trajectories/turn-store.js';
import { lastNumber } from './last-number.js';

export function createGeneratorActivities(turns: TurnStore): Pick<ModuleActivities, 'generateAnswer'> {
  return {
    generateAnswer: ({ flow, memory }: GenerateAnswerInput) =>
      turns.once<{ answer: string }>({ flowId: flow.flowId, turn: OUTSIDE_TURNS, module: 'generator' }, async () => ({
        output: { answer: lastNumber(memory) },
      })),
  };
}
