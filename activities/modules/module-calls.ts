import { cancellationSignal } from '@temporalio/activity';
import type { ModuleInput } from '../../contracts/agent-activities.js';
import { callSeed } from '../engines/call-seed.js';
import { ModelCalls } from '../engines/model-calls.js';
import { OUTSIDE_TURNS, type AgentModule } from '../trajectories/turn-key.js';
import type { ModuleDependencies } from './module-dependencies.js';

/** The calls of language models that a module's activity makes in a turn, or outside of turns. */
export function callsOf(
  { models }: Pick<ModuleDependencies, 'models'>,
  input: ModuleInput,
  module: AgentModule,
  turn: number = OUTSIDE_TURNS,
): ModelCalls {
  const { flow, model, budget, cache } = input;
  return new ModelCalls(models, {
    flow,
    model,
    budget,
    cache,
    module,
    turn,
    seed: callSeed(flow, turn),
    signal: cancellationSignal(),
  });
}
