import { TypedSearchAttributes } from '@temporalio/common';
import type { AgentFlow } from '../../infra/database/entities/index.js';
import type { PolicyRef } from '../../workflows/contracts/artifacts.js';
import type { AgentFlowInput } from '../../workflows/contracts/flow.js';
import { searchAttributes } from '../../workflows/contracts/search-attributes.js';
import { AGENT_TASK_QUEUE } from '../../workflows/contracts/task-queues.js';
import type { RunSettings } from '../../workflows/contracts/training-run.js';
import { WorkflowCalls } from './workflow-calls.js';

/** Longest question that the Temporal UI shows on one line. */
const SUMMARY_LENGTH = 120;

/** The API's only way to the `agentFlow` workflows that were asked for: a workflow's id is its flow's id. */
export class FlowWorkflows extends WorkflowCalls {
  /**
   * Starts the workflow of a queued flow. Starting it twice is harmless.
   * @param deadlineMs how long to wait for the Temporal server
   * @returns false where the flow's workflow has already ended
   */
  async start(flow: AgentFlow, deadlineMs = this.deadlineMs): Promise<boolean> {
    const policy = policyOf(flow);
    const attributes = policy ? [{ key: searchAttributes.policy, value: policy.name }] : [];
    const options = {
      workflowId: flow.id,
      taskQueue: AGENT_TASK_QUEUE,
      args: [toInput(flow, this.settings)],
      staticSummary: flow.question.replace(/\s+/g, ' ').slice(0, SUMMARY_LENGTH),
      typedSearchAttributes: new TypedSearchAttributes(attributes),
    };
    return this.startOnce('agentFlow', options, deadlineMs);
  }

  async resume(id: string): Promise<void> {
    await this.update(id, 'resume');
  }
}

function toInput(flow: AgentFlow, settings: RunSettings): AgentFlowInput {
  const { id, question, images, dataset, model, config, seed } = flow;
  return {
    flow: { flowId: id, runId: id, runSeed: seed ?? 0, purpose: 'ask', step: 0, group: 0, rollout: 0 },
    query: { id, dataset, family: 'asked', question, ...(images.length > 0 && { images }) },
    model,
    config,
    policy: policyOf(flow),
    greedy: seed === null,
    score: false,
    settings,
  };
}

function policyOf({ policyName: name, policySha256: sha256 }: AgentFlow): PolicyRef | undefined {
  return name !== null && sha256 !== null ? { name, sha256 } : undefined;
}
