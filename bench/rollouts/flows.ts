import type { Client } from '@temporalio/client';
import { evaluationConfigSchema } from '../../contracts/evaluation-config.js';
import { flowSchema } from '../../contracts/flow-config.js';
import type { AgentFlowInput } from '../../contracts/flow.js';
import { AGENT_TASK_QUEUE } from '../../contracts/task-queues.js';
import type { RunSettings } from '../../contracts/run-settings.js';
import { createDataSource } from '../../infra/database/data-source.js';
import { BenchmarkEvaluation } from '../../infra/database/entities/index.js';
import { inParallel } from '../../workflows/in-parallel.js';

/** Calls of the provider that a flow makes: it stops after its first turn. */
export const CALLS_PER_FLOW = 5;

/** No policy plans here. */
const PLANNED_MODEL = 'tiny-random';

export interface Flows {
  /** Their ids begin with it. */
  name: string;
  /** Registered name of the language model of every module. */
  model: string;
  flows: number;
}

/** Writes the row by which the agent worker knows that somebody submitted these flows: an evaluation's. */
export async function submit(database: string, { name, model }: Flows): Promise<void> {
  const dataSource = await createDataSource(database, 'command', 1).initialize();
  try {
    const config = evaluationConfigSchema.parse({
      model: PLANNED_MODEL,
      benchmarks: [{ name: 'atlas' }],
      flow: flowConfig(model),
    });
    const row = { id: name, name, project: 'default', status: 'running' as const, config };
    await dataSource.getRepository(BenchmarkEvaluation).insert(row);
  } finally {
    await dataSource.destroy();
  }
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
    model: PLANNED_MODEL,
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
