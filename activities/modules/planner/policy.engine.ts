import { callSeed } from '../../engines/call-seed.js';
import type { PolicyClient } from '../../engines/policy-client.js';
import { compactPrompt } from './compact-prompt.js';
import type { PlannerEngine } from './planner-engine.js';

/** The policy plans: the only engine whose text is trained. */
export function policyEngine(client: PolicyClient): PlannerEngine {
  return async (input, tools, signal) => {
    const messages = compactPrompt(input.query.question, tools, input.memory, input.turnsLeft);
    const seed = callSeed(input.flow, input.turn);
    const temperature = input.greedy ? 0 : input.planner.temperature;
    const completion = await client.complete(
      {
        model: input.policy.name,
        policySha256: input.policy.sha256,
        messages,
        maxTokens: input.planner.max_tokens,
        temperature,
        seed,
        flowId: input.flow.flowId,
        turn: input.turn,
      },
      signal,
    );
    const { text, finishReason, ...sampled } = completion;
    return { text, finishReason, sample: { ...sampled, policyName: input.policy.name, messages, temperature, seed } };
  };
}
