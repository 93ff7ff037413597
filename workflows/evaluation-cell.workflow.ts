import { continueAsNew, executeChild, patched, setCurrentDetails } from '@temporalio/workflow';
import { agentFlow } from './agent-flow.workflow.js';
import { timesBudget } from './budget.js';
import type { EvaluationCellInput, StoppedCell } from '../contracts/benchmark-evaluation.js';
import type { AgentFlowInput, Query } from '../contracts/flow.js';
import { flowOptions } from './child-options.js';
import { pausingFailure } from './failed-calls.js';
import { inParallel } from './in-parallel.js';
import { questionsOfExecution } from './questions.js';

/**
 * The flows of one cell.
 * @returns how many there were: every question, as often as there are trials; or where it stopped, and why
 */
export async function evaluationCell(input: EvaluationCellInput): Promise<number | StoppedCell> {
  try {
    return await nextPage(input);
  } catch (error) {
    const failure = pausingFailure(error);
    if (!failure || !patched('cells-tell-where-they-stopped')) throw error;
    return { asked: input.asked, failure };
  }
}

async function nextPage(input: EvaluationCellInput): Promise<number> {
  const { config, cell, asked, settings } = input;
  const { trials, concurrency } = config;
  const { questions, ...dataset } = cell.benchmark;
  const course = { dataset, asked, questions, trials };
  const { queries, more } = await questionsOfExecution(settings, course);
  const flows = queries.flatMap((query, i) =>
    Array.from({ length: trials }, (_, trial) => flowInput(input, query, asked + i, trial)),
  );
  await inParallel(flows, concurrency, (flow) => ask(input, flow));
  const total = asked + queries.length;
  setCurrentDetails(`${total} questions asked, ${trials} times each`);
  if (more) return continueAsNew<typeof evaluationCell>({ ...input, asked: total });
  return total * trials;
}

function ask({ id, cell, policy, config }: EvaluationCellInput, flow: AgentFlowInput) {
  const details = `\`${id}\`: ${cell.benchmark.name}, policy \`${policy?.name ?? config.model}\``;
  return executeChild(agentFlow, flowOptions(flow, { details, benchmark: cell.benchmark.name }));
}

function flowInput(input: EvaluationCellInput, query: Query, question: number, trial: number): AgentFlowInput {
  const { id, cell, config, policy, settings, budgets = 1 } = input;
  const { flow } = config;
  const flowId = `${id}/${cell.index}/${question}/${trial}`;
  return {
    flow: {
      flowId,
      runId: id,
      runSeed: config.seed,
      purpose: 'evaluation',
      cell: cell.index,
      question,
      trial,
    },
    query,
    model: config.model,
    config: { ...flow, max_turns: cell.maxTurns, budget: flow.budget && timesBudget(flow.budget, budgets) },
    policy,
    greedy: config.greedy,
    score: true,
    settings,
  };
}
