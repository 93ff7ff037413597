import type { ModuleActivities, Verdict, VerifyTurnInput } from '../../../workflows/contracts/agent-activities.js';
import type { TurnStore } from '../../trajectories/turn-store.js';
import { verify } from './verify.js';

export function createVerifierActivities(turns: TurnStore): Pick<ModuleActivities, 'verifyTurn'> {
  return {
    verifyTurn: ({ flow, query, turn, memory }: VerifyTurnInput) =>
      turns.once<Verdict>({ flowId: flow.flowId, turn, module: 'verifier' }, async () => ({
        output: verify(query.question, memory),
      })),
  };
}
