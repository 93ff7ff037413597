import { continueAsNew, setCurrentDetails, startChild, workflowInfo } from '@temporalio/workflow';
import { agentFlow } from './agent-flow.workflow.js';
import { runCalls } from './calls.js';
import type { AgentFlowInput, AgentFlowResult, Query } from '../contracts/flow.js';
import type { EvaluationInput, EvaluationSummary } from '../contracts/training-run.js';
import { flowOptions } from './child-options.js';
import { evaluationDetails } from './details.js';
import { HeldChildren } from './held-children.js';
import { questionsOfExecution } from './questions.js';
import { inParallel } from './in-parallel.js';
import { emptyTally, summarise, tallyFlow } from './tally.js';

/**
 * The held-out questions as agent flows, decoded greedily and scored. The denominator is every question asked; a flow
 * that ended excluded counts as wrong and is shown apart.
 */
export async function evaluation(input: EvaluationInput): Promise<EvaluationSummary> {
  const { questions, concurrency } = input.config.evaluation;
  const calls = runCalls(input.settings);
  const children = new HeldChildren(input.held);
  const tally = input.tally ?? emptyTally();
  const { asked } = tally;
  const { runId: id, identity } = input;
  const dataset = input.config.evaluation.dataset ?? input.config.dataset;
  const course = { run: { runId: id, identity }, dataset, asked, questions };
  const { queries, more } = await questionsOfExecution(input.settings, course);
  await inParallel(queries, concurrency, async (query, i) => {
    const result = await ask(input, query, asked + i, children);
    tallyFlow(tally, query, result);
    setCurrentDetails(evaluationDetails(input, tally));
  });
  if (more) return continueAsNew<typeof evaluation>({ ...input, tally, held: children.held });
  const summary = summarise(input, tally, workflowInfo().workflowId);
  await calls.recordEvaluation.executeWithOptions({ summary: `accuracy ${summary.accuracy.toFixed(3)}` }, [summary]);
  return summary;
}

async function ask(
  input: EvaluationInput,
  query: Query,
  index: number,
  children: HeldChildren,
): Promise<AgentFlowResult> {
  const flow = flowInput(input, query, index);
  const details = `Held-out question ${index}, planner \`${input.planner}\`, policy \`${input.policy.name}\``;
  const shown = { details, step: input.step, benchmark: query.dataset.name };
  const child = await startChild(agentFlow, flowOptions(flow, shown));
  await children.add(child);
  return child.result();
}

function flowInput(input: EvaluationInput, query: Query, index: number): AgentFlowInput {
  const { runId, runSeed, step, planner, policy, config, settings, identity } = input;
  const flowId = `${runId}/eval/${step}/${planner}/${index}`;
  return {
    flow: { flowId, runId, runSeed, purpose: 'evaluation', step, question: index, identity },
    query,
    model: config.model,
    config: planner === 'policy' ? config.flow : { ...config.flow, planner: { engine: planner } },
    policy,
    greedy: true,
    score: true,
    settings,
  };
}
