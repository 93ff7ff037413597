import type { PolicyPlannerConfig } from '../../../contracts/flow-config.js';
import { callSeed } from '../../engines/call-seed.js';
import type { PolicyClient } from '../../engines/policy-client.js';
import type { PlannerEngine } from './planner-engine.js';
import { compactPrompt, fullPrompt, PLANNER_TEMPLATES } from './planner-prompt.js';

/** The policy plans, or the untrained base model where there is none: the only engine whose text is trained. */
export function policyEngine(client: PolicyClient, config: PolicyPlannerConfig): PlannerEngine {
  return async (input, tools, signal) => {
    const messages =
      config.prompt === 'full'
        ? fullPrompt(input, tools, 'text')
        : compactPrompt(input.query.question, tools, input.memory, input.turnsLeft);
    const policyName = input.policy?.name ?? input.model;
    const seed = callSeed(input.flow, input.turn);
    const temperature = input.greedy ? 0 : config.temperature;
    const completion = await client.complete(
      {
        model: policyName,
        policySha256: input.policy?.sha256,
        messages,
        maxTokens: config.max_tokens,
        temperature,
        seed,
        flowId: input.flow.flowId,
        turn: input.turn,
      },
      signal,
    );
    const { text, finishReason, ...sampled } = completion;
    const template = PLANNER_TEMPLATES[config.prompt].sha256;
    return { text, finishReason, sample: { ...sampled, policyName, messages, temperature, seed, template } };
  };
}
