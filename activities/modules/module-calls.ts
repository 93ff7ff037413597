import { cancellationSignal } from '@temporalio/activity';
import type { ModuleInput } from '../../workflows/contracts/agent-activities.js';
import { callSeed } from '../engines/call-seed.js';
import { ModelCalls } from '../engines/model-calls.js';
import type { ModuleDependencies } from './module-dependencies.js';

/** The calls of language models that a module's activity makes in a turn. */
export function callsOf({ models }: ModuleDependencies, input: ModuleInput, turn: number): ModelCalls {
  const { flow, model, budget, cache } = input;
  return new ModelCalls(models, {
    flow,
    model,
    budget,
    cache,
    turn,
    seed: callSeed(flow, turn),
    signal: cancellationSignal(),
  });
}
