import {
  CancellationScope,
  isCancellation,
  ParentClosePolicy,
  patched,
  setCurrentDetails,
  setHandler,
  startChild,
  type ChildWorkflowHandle,
} from '@temporalio/workflow';
import { agentFlow } from './agent-flow.workflow.js';
import { runCalls } from './calls.js';
import type { AgentFlowInput, AgentFlowResult } from './contracts/flow.js';
import type { RolloutGroupInput, RolloutGroupResult } from './contracts/training-run.js';
import { Deadline } from './deadline.js';
import { groupDetails, oneLine } from './details.js';
import { allOrFirstFailure } from './in-parallel.js';
import { holdSignal } from './messages.js';
import { searchAttributes } from './contracts/search-attributes.js';

type FlowHandle = ChildWorkflowHandle<typeof agentFlow>;

/**
 * The G rollouts of one query on one policy. Waits for all of them: a group is never silently short. Rollouts still
 * open at the group's deadline are cancelled and come back as excluded (outcome `group_deadline`). The time for which
 * they are held is not the group's.
 */
export async function rolloutGroup(input: RolloutGroupInput): Promise<RolloutGroupResult> {
  const root = CancellationScope.current();
  const deadline = new Deadline(input.settings.group_deadline_s * 1000);
  const forward = holdForwarder(deadline);
  const flows = Array.from({ length: input.rollouts }, (_, rollout) => flowInput(input, rollout));
  const rollouts = await deadline.limit(() =>
    allOrFirstFailure(
      flows.map(async (flow) => {
        try {
          const child = await startFlow(input, flow);
          await forward(child);
          return await child.result();
        } catch (error) {
          if (!isCancellation(error) || root.consideredCancelled) throw error;
          return CancellationScope.nonCancellable(() => excludeAtDeadline(flow));
        }
      }),
    ),
  );
  setCurrentDetails(groupDetails(input, rollouts));
  return { group: input.group, rollouts };
}

/** Passes `hold` on to every open rollout, those that start while it is in force included. */
function holdForwarder(deadline: Deadline): (child: FlowHandle) => Promise<void> {
  const children: FlowHandle[] = [];
  let held = false;
  const tell = (child: FlowHandle) => child.signal(holdSignal, held).catch(ignoreClosedChild);
  setHandler(
    holdSignal,
    async (value) => {
      if (value !== held && patched('deadline-stands-still-while-held')) deadline.standStill(value);
      held = value;
      await Promise.all(children.map(tell));
    },
    { description: 'Stop every rollout of the group before its next activity, or let them go on.' },
  );
  return async (child) => {
    children.push(child);
    if (held) await tell(child);
  };
}

function startFlow(input: RolloutGroupInput, flow: AgentFlowInput): Promise<FlowHandle> {
  return startChild(agentFlow, {
    workflowId: flow.flow.flowId,
    args: [flow],
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    staticSummary: oneLine(input.query.question),
    staticDetails: `Rollout ${flow.flow.rollout} of group ${input.group}, step ${input.step}, on policy \`${input.policy.name}\``,
    typedSearchAttributes: [
      { key: searchAttributes.trainingRun, value: input.runId },
      { key: searchAttributes.trainingStep, value: input.step },
      { key: searchAttributes.policy, value: input.policy.name },
      { key: searchAttributes.benchmark, value: input.query.dataset.name },
    ],
  });
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

function ignoreClosedChild(): void {
  // A rollout that has ended since cannot be held, and need not be.
}
