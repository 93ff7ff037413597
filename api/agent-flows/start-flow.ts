import { TypedSearchAttributes } from '@temporalio/common';
import type { AgentFlow } from '../../infra/database/entities/index.js';
import type { PolicyRef } from '../../contracts/artifacts.js';
import type { AgentFlowInput } from '../../contracts/flow.js';
import { searchAttributes } from '../../contracts/search-attributes.js';
import type { WorkflowStart } from '../temporal/workflows.js';

/** Longest question that the Temporal UI shows on one line. */
const SUMMARY_LENGTH = 120;

/** How the workflow of a queued flow is started. One that was queued again goes on from its rows. */
export function startOfFlow(flow: AgentFlow): WorkflowStart {
  const policy = policyOf(flow);
  const attributes = policy ? [{ key: searchAttributes.policy, value: policy.name }] : [];
  return {
    input: toInput(flow, policy),
    isNext: flow.statusVersion > 0,
    staticSummary: flow.question.replace(/\s+/g, ' ').slice(0, SUMMARY_LENGTH),
    typedSearchAttributes: new TypedSearchAttributes(attributes),
  };
}

function toInput(flow: AgentFlow, policy: PolicyRef | undefined): Omit<AgentFlowInput, 'settings'> {
  const { id, question, images, dataset, model, config, seed, statusVersion: version, budgets } = flow;
  return {
    flow: { flowId: id, runId: id, runSeed: seed ?? 0, purpose: 'ask' },
    query: { id, dataset, family: 'asked', question, ...(images.length > 0 && { images }) },
    model,
    config,
    policy,
    greedy: seed === null,
    score: false,
    ...(version > 0 && { revived: { version, budgets } }),
  };
}

function policyOf({ policyName: name, policySha256: sha256 }: AgentFlow): PolicyRef | undefined {
  return name !== null && sha256 !== null ? { name, sha256 } : undefined;
}
