import { AgentFlow } from './agent-flow.js';
import { SubmittedFlow } from './submitted-flow.js';
import type { AgentFlowInput, AgentFlowResult } from '../contracts/flow.js';

/**
 * One agent flow on one query: analyse, then plan, execute, verify and remember until STOP or a budget is
 * spent, then answer and score. Every call is an activity, so that every turn can be seen, retried and replayed.
 */
export async function agentFlow(input: AgentFlowInput): Promise<AgentFlowResult> {
  if (input.flow.purpose !== 'ask') return run(input);
  const submitted = new SubmittedFlow(input);
  return submitted.run(() => run(input, submitted));
}

async function run(input: AgentFlowInput, submitted?: SubmittedFlow): Promise<AgentFlowResult> {
  const flow = new AgentFlow(input, submitted);
  try {
    if (flow.takesTurns()) await flow.analyse();
    while (flow.isOpen()) {
      const plan = await flow.plan();
      if (!plan) break;
      const record = await flow.execute(plan);
      await flow.verifyAndRemember(plan, record);
    }
    await flow.answer();
    await flow.score();
  } catch (error) {
    flow.exclude(error);
    submitted?.excludedBy(error);
  }
  return flow.finish();
}
