import type { Client } from '@temporalio/client';
import { flowSchema } from '../../workflows/contracts/flow-config.js';
import type { AgentFlowInput } from '../../workflows/contracts/flow.js';
import { AGENT_TASK_QUEUE } from '../../workflows/contracts/task-queues.js';
import type { RunSettings } from '../../workflows/contracts/training-run.js';
import { inParallel } from '../../workflows/in-parallel.js';

/** Calls of the provider that a flow makes: it stops after its first turn. */
export const CALLS_PER_FLOW = 5;

export interface Flows {
  /** Their ids begin with it. */
  name: string;
  /** Registered name of the language model of every module. */
  model: string;
  flows: number;
}

/**
 * Runs agent flows with at most `concurrency` open.
 * @returns seconds of each, from its start to its result
 * @throws Error where a flow does not answer: a benchmark of failures would be a fast one
 */
export async function runFlows(
  client: Client,
  settings: RunSettings,
  { name, model, flows }: Flows,
  concurrency: number,
): Promise<number[]> {
  return inParallel(Array.from({ length: flows }), concurrency, async (_, index) => {
    const started = performance.now();
    const input = flowInput(name, model, index, settings);
    const result = (await client.workflow.execute('agentFlow', {
      taskQueue: AGENT_TASK_QUEUE,
      workflowId: input.flow.flowId,
      args: [input],
    })) as { outcome: string; answer?: string };
    if (result.outcome !== 'answered' || result.answer !== '936') {
      throw new Error(`${input.flow.flowId} ended ${result.outcome} with the answer ${JSON.stringify(result.answer)}.`);
    }
    return (performance.now() - started) / 1000;
  });
}

function flowInput(name: string, model: string, index: number, settings: RunSettings): AgentFlowInput {
  const id = `${name}/${index}`;
  return {
    flow: { flowId: id, runId: name, runSeed: 0, purpose: 'evaluation', step: 0, group: index, rollout: 0 },
    query: { id, dataset: { name: 'atlas', seed: 7 }, family: 'arithmetic', question: 'What is 347 plus 589?' },
    model: 'tiny-random',
    config: flowConfig(model),
    greedy: true,
    score: false,
    settings,
  };
}

function flowConfig(model: string) {
  const llm = { engine: 'llm', model, prompt: 'full' };
  const modules = { planner: llm, query_analysis: llm, executor: llm, verifier: llm, generator: llm };
  return flowSchema.parse({ max_turns: 2, tools: ['calculator'], ...modules });
}
