import { continueAsNew, executeChild, ParentClosePolicy, setCurrentDetails } from '@temporalio/workflow';
import { agentFlow } from './agent-flow.workflow.js';
import type { EvaluationCellInput } from './contracts/benchmark-evaluation.js';
import { searchAttributes } from './contracts/search-attributes.js';
import type { AgentFlowInput, Query } from './contracts/flow.js';
import { oneLine } from './details.js';
import { heldOutQuestions } from './held-out-questions.js';
import { inParallel } from './in-parallel.js';

/** Flows per execution: about six history events each, far below the 4,096 at which the server wants a new one. */
const PAGE = 250;

/**
 * The flows of one cell.
 * @returns how many there were: every question, as often as there are trials
 */
export async function evaluationCell(input: EvaluationCellInput): Promise<number> {
  const { config, cell, asked, settings } = input;
  const { trials, concurrency } = config;
  const wanted = Math.min(Math.max(1, Math.floor(PAGE / trials)), (cell.benchmark.questions ?? Infinity) - asked);
  const { name, seed } = cell.benchmark;
  const queries = await heldOutQuestions(settings, { dataset: { name, seed }, offset: asked, count: wanted });
  const flows = queries.flatMap((query, i) =>
    Array.from({ length: trials }, (_, trial) => flowInput(input, query, asked + i, trial)),
  );
  await inParallel(flows, concurrency, (flow) => ask(input, flow));
  const total = asked + queries.length;
  setCurrentDetails(`${total} questions asked, ${trials} times each`);
  const isOver = queries.length < wanted || total >= (cell.benchmark.questions ?? Infinity);
  if (!isOver) return continueAsNew<typeof evaluationCell>({ ...input, asked: total });
  return total * trials;
}

function ask({ id, cell, policy, config }: EvaluationCellInput, flow: AgentFlowInput) {
  return executeChild(agentFlow, {
    workflowId: flow.flow.flowId,
    args: [flow],
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    staticSummary: oneLine(flow.query.question),
    staticDetails: `\`${id}\`: ${cell.benchmark.name}, policy \`${policy?.name ?? config.model}\``,
    typedSearchAttributes: [
      { key: searchAttributes.trainingRun, value: id },
      { key: searchAttributes.policy, value: policy?.name ?? config.model },
      { key: searchAttributes.benchmark, value: cell.benchmark.name },
    ],
  });
}

function flowInput(input: EvaluationCellInput, query: Query, question: number, trial: number): AgentFlowInput {
  const { id, cell, config, policy, settings } = input;
  const flowId = `${id}/${cell.index}/${question}/${trial}`;
  return {
    flow: {
      flowId,
      runId: id,
      runSeed: config.seed,
      purpose: 'evaluation',
      step: cell.index,
      group: question,
      rollout: trial,
    },
    query,
    model: config.model,
    config: { ...config.flow, max_turns: cell.maxTurns },
    policy,
    greedy: config.greedy,
    score: true,
    settings,
  };
}
