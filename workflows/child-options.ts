import { ParentClosePolicy, workflowInfo } from '@temporalio/workflow';
import type { SearchAttributePair } from '@temporalio/common';
import type { AgentFlowInput } from '../contracts/flow.js';
import { searchAttributes } from '../contracts/search-attributes.js';
import { oneLine } from './details.js';

/** What the Temporal UI shows of a child, and finds it by. */
interface Shown {
  summary: string;
  details?: string;
  /** The training run or evaluation that it belongs to. */
  run: string;
  /** Of a training run. */
  step?: number;
  /** Name of the policy, or of the model if none was trained. */
  policy: string;
  benchmark: string;
}

/**
 * Options of a child of a run: if its parent ends it is cancelled, and not terminated, so that it says how it ended.
 */
export function childOptions<Input>(
  workflowId: string,
  input: Input,
  { summary, details, run, step, policy, benchmark }: Shown,
) {
  return {
    workflowId,
    args: [input] as [Input],
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    staticSummary: summary,
    staticDetails: details,
    typedSearchAttributes: [
      ...inheritedAttributes(),
      { key: searchAttributes.trainingRun, value: run },
      ...(step === undefined ? [] : [{ key: searchAttributes.trainingStep, value: step }]),
      { key: searchAttributes.policy, value: policy },
      { key: searchAttributes.benchmark, value: benchmark },
    ],
  };
}

/** What every child is found by as its parent is: the project, unless an older version started the parent. */
export function inheritedAttributes(): SearchAttributePair[] {
  const project = workflowInfo().typedSearchAttributes.get(searchAttributes.project);
  return project === undefined ? [] : [{ key: searchAttributes.project, value: project }];
}

/** The same for an agent flow, which is shown by its question. */
export function flowOptions(input: AgentFlowInput, shown: Pick<Shown, 'details' | 'step' | 'benchmark'>) {
  const { flow, query, policy, model } = input;
  const summary = oneLine(query.question);
  return childOptions(flow.flowId, input, { summary, run: flow.runId, policy: policy?.name ?? model, ...shown });
}
