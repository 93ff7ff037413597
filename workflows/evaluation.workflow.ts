import { continueAsNew, executeChild, ParentClosePolicy, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { agentFlow } from './agent-flow.workflow.js';
import { runCalls } from './calls.js';
import type { AgentFlowInput, AgentFlowResult, Query } from './contracts/flow.js';
import type { EvaluationInput, EvaluationResult } from './contracts/training-run.js';
import { evaluationDetails, oneLine } from './details.js';
import { heldOutQuestions } from './held-out-questions.js';
import { inParallel } from './in-parallel.js';
import { searchAttributes } from './contracts/search-attributes.js';
import { emptyTally, summarise, tallyFlow } from './tally.js';

/** Questions per execution: about six history events each, far below the 4,096 at which the server wants a new one. */
const PAGE = 250;

/**
 * The held-out questions as agent flows, decoded greedily and scored. The denominator is every question asked; a flow
 * that ended excluded counts as wrong and is shown apart.
 */
export async function evaluation(input: EvaluationInput): Promise<EvaluationResult> {
  const { questions, concurrency } = input.config.evaluation;
  const calls = runCalls(input.settings);
  const tally = input.tally ?? emptyTally();
  const offset = tally.asked;
  const count = Math.min(PAGE, questions - offset);
  const { runId, identity } = input;
  const dataset = input.config.evaluation.dataset ?? input.config.dataset;
  const queries = await heldOutQuestions(input.settings, { run: { runId, identity }, dataset, offset, count });
  await inParallel(queries, concurrency, async (query, i) => {
    const result = await ask(input, query, offset + i);
    tallyFlow(tally, query, result);
    setCurrentDetails(evaluationDetails(input, tally));
  });
  const more = queries.length === count && tally.asked < questions;
  if (more) return continueAsNew<typeof evaluation>({ ...input, tally });
  const summary = summarise(input, tally, workflowInfo().workflowId);
  await calls.recordEvaluation.executeWithOptions({ summary: `accuracy ${summary.accuracy.toFixed(3)}` }, [summary]);
  return summary;
}

function ask(input: EvaluationInput, query: Query, index: number): Promise<AgentFlowResult> {
  const flow = flowInput(input, query, index);
  return executeChild(agentFlow, {
    workflowId: flow.flow.flowId,
    args: [flow],
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    staticSummary: oneLine(query.question),
    staticDetails: `Held-out question ${index}, planner \`${input.planner}\`, policy \`${input.policy.name}\``,
    typedSearchAttributes: [
      { key: searchAttributes.trainingRun, value: input.runId },
      { key: searchAttributes.trainingStep, value: input.step },
      { key: searchAttributes.policy, value: input.policy.name },
      { key: searchAttributes.benchmark, value: query.dataset.name },
    ],
  });
}

function flowInput(input: EvaluationInput, query: Query, index: number): AgentFlowInput {
  const { runId, runSeed, step, planner, policy, config, settings, identity } = input;
  const flowId = `${runId}/eval/${step}/${planner}/${index}`;
  return {
    flow: { flowId, runId, runSeed, purpose: 'evaluation', step, group: index, rollout: 0, identity },
    query,
    model: config.model,
    config: planner === 'policy' ? config.flow : { ...config.flow, planner: { engine: planner } },
    policy,
    greedy: true,
    score: true,
    settings,
  };
}
