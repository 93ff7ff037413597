import { Flow } from './agent-flow.js';
import { AskedFlow } from './asked-flow.js';
import type { AgentFlowInput, AgentFlowResult } from './contracts/flow.js';

/**
 * One agent flow on one query (design 4): analyse, then plan, execute, verify and remember until STOP or a budget is
 * spent, then answer and score. Every call is an activity, so that every turn can be seen, retried and replayed.
 */
export async function agentFlow(input: AgentFlowInput): Promise<AgentFlowResult> {
  if (input.flow.purpose !== 'ask') return run(input);
  const asked = new AskedFlow(input);
  return asked.run(() => run(input, asked));
}

async function run(input: AgentFlowInput, asked?: AskedFlow): Promise<AgentFlowResult> {
  const flow = new Flow(input, asked);
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
  }
  return flow.finish();
}
