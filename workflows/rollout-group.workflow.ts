import {
  CancellationScope,
  isCancellation,
  patched,
  setCurrentDetails,
  startChild,
  type ChildWorkflowHandle,
} from '@temporalio/workflow';
import { agentFlow } from './agent-flow.workflow.js';
import { runCalls } from './calls.js';
import type { AgentFlowInput, AgentFlowResult } from '../contracts/flow.js';
import type { RolloutGroupInput, RolloutGroupResult } from '../contracts/training-run.js';
import { Deadline } from './deadline.js';
import { flowOptions } from './child-options.js';
import { groupDetails } from './details.js';
import { allOrFirstFailure } from './in-parallel.js';
import { HeldChildren } from './held-children.js';

type FlowHandle = ChildWorkflowHandle<typeof agentFlow>;

/**
 * The G rollouts of one query on one policy. Waits for all of them: a group is never silently short. Rollouts still
 * open at the group's deadline are cancelled and come back as excluded (outcome `group_deadline`). The time for which
 * they are held is not the group's.
 */
export async function rolloutGroup(input: RolloutGroupInput): Promise<RolloutGroupResult> {
  const root = CancellationScope.current();
  const deadline = new Deadline(input.settings.group_deadline_s * 1000);
  const children = new HeldChildren(false, (held) => {
    if (patched('deadline-stands-still-while-held')) deadline.standStill(held);
  });
  const flows = Array.from({ length: input.rollouts }, (_, rollout) => flowInput(input, rollout));
  const rollouts = await deadline.limit(() =>
    allOrFirstFailure(
      flows.map(async (flow, rollout) => {
        try {
          const child = await startFlow(input, flow, rollout);
          await children.add(child);
          return await child.result();
        } catch (error) {
          if (!isCancellation(error) || root.consideredCancelled) throw error;
          return CancellationScope.nonCancellable(() => excludeAtDeadline(flow));
        }
      }),
    ),
  );
  setCurrentDetails(groupDetails(input, rollouts));
  return { group: input.group, rollouts: rollouts.map(forTheRun) };
}

/**
 * Without the answers: those of 256 rollouts with three outputs do not fit a payload, and the run needs none of them.
 */
function forTheRun({ flowId, outcome, reward, turns, tools }: AgentFlowResult): AgentFlowResult {
  return { flowId, outcome, reward, turns, tools };
}

function startFlow(
  { group, step, policy, query }: RolloutGroupInput,
  flow: AgentFlowInput,
  rollout: number,
): Promise<FlowHandle> {
  const details = `Rollout ${rollout} of group ${group}, step ${step}, on policy \`${policy.name}\``;
  return startChild(agentFlow, flowOptions(flow, { details, step, benchmark: query.dataset.name }));
}

function flowInput(input: RolloutGroupInput, rollout: number): AgentFlowInput {
  const { runId, runSeed, step, group, query, model, config, policy, settings, identity } = input;
  const flowId = `${runId}/${step}/${group}/${rollout}`;
  return {
    flow: { flowId, runId, runSeed, purpose: 'train', step, group, rollout, identity },
    query,
    model,
    config,
    policy,
    greedy: false,
    score: true,
    settings,
  };
}

/** Records what the cancelled flow could not record itself: excluded rollouts stay visible and counted (I2). */
async function excludeAtDeadline({ flow, query, policy, settings }: AgentFlowInput): Promise<AgentFlowResult> {
  const result: AgentFlowResult = { flowId: flow.flowId, outcome: 'group_deadline', turns: 0, tools: [] };
  await runCalls(settings).recordRollout.executeWithOptions({ summary: result.outcome }, [
    { flow, query, policy, result, memory: [] },
  ]);
  return result;
}
