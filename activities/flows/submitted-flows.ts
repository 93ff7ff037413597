import { activityInfo } from '@temporalio/activity';
import type { DataSource } from 'typeorm';
import type { FlowConfig } from '../../contracts/flow-config.js';
import { placeOf, type FlowRef } from '../../contracts/flow.js';
import { FailureType } from '../../contracts/failures.js';
import { canonicalJson } from '../../infra/artifacts/canonical-json.js';
import { AgentFlow, BenchmarkEvaluation, TrainingRun } from '../../infra/database/entities/index.js';
import { nonRetryable } from '../failures/non-retryable.js';
import { RecentlyUsed } from '../recently-used.js';

type Activity = (input: never, ...rest: never[]) => Promise<unknown>;
type Budget = NonNullable<FlowConfig['budget']>;

/** What a flow was submitted with. */
interface Submitted {
  model: string;
  config: FlowConfig;
  /** Of an asked flow. */
  question?: string;
}

/** What the call of a module says about its flow; absent where the call is another one. */
interface ModuleCall {
  flow: FlowRef;
  model?: string;
  query?: { question: string };
  budget?: Budget;
  planner?: { engine: string };
  tool?: string;
}

/** Flows that are kept in memory, each with what it was submitted with. */
const KEPT_FLOWS = 5_000;

/** The parts of a configuration that a module's call repeats, by activity and by the name that they have there. */
const REPEATED: Record<string, (config: FlowConfig) => Record<string, unknown>> = {
  analyseQuery: ({ query_analysis: module, tools }) => ({ module, tools }),
  planTurn: ({ planner, tools }) => ({ planner, tools }),
  executeTurn: ({ executor: module, tool_engine: toolEngine }) => ({ module, toolEngine }),
  verifyTurn: ({ verifier: module, tools }) => ({ module, tools }),
  generateAnswer: ({ generator: module, planner }) => ({ module, planner }),
  scoreAnswer: ({ scoring }) => ({
    judge: scoring?.judge,
    undecided: scoring?.undecided,
    reward: scoring?.reward,
  }),
};

/** Planners that an evaluation puts in the place of the configured one; they ask no language model. */
const YARDSTICKS = ['random', 'oracle'];

/**
 * The same activities; those of a flow's modules first make sure that somebody submitted the flow, with what the call
 * says. A workflow that was started past the API, by name and with an input of its own, asks no language model, runs no
 * tool and spends no budget with the operator's keys. It fails with NotFound or BadConfiguration.
 */
export function submittedFlowsOnly<Activities extends object>(
  activities: Activities,
  dataSource: DataSource,
): Activities {
  const kept = new RecentlyUsed<Promise<Submitted>>(KEPT_FLOWS);
  const submitted = (flow: FlowRef) =>
    kept.get(`${flow.purpose} ${flow.flowId}`, () => findSubmitted(dataSource, flow));
  const wrapped = Object.entries(activities as Record<string, Activity>).map(([name, activity]) => {
    if (!Object.hasOwn(REPEATED, name)) return [name, activity];
    const checked: Activity = async (input, ...rest) => {
      const call = input as ModuleCall;
      requireOwnId(call.flow);
      compare(name, call, await submitted(call.flow));
      return activity(input, ...rest);
    };
    return [name, checked];
  });
  return Object.fromEntries(wrapped) as Activities;
}

/** A flow's workflow bears the flow's id, which lies below its run's. */
function requireOwnId(flow: FlowRef): void {
  const { flowId, runId, purpose } = flow;
  const { step, group, rollout } = placeOf(flow);
  const workflowId = activityInfo().workflowExecution?.workflowId;
  const isBelow =
    purpose === 'ask'
      ? flowId === runId
      : purpose === 'train'
        ? flowId === `${runId}/${step}/${group}/${rollout}`
        : flowId.startsWith(`${runId}/`);
  if (workflowId !== flowId || !isBelow) {
    throw notSubmitted(`The workflow ${workflowId ?? 'none'} is not that of the flow ${flowId} of ${runId}.`);
  }
}

async function findSubmitted(dataSource: DataSource, flow: FlowRef): Promise<Submitted> {
  const { purpose, flowId, runId } = flow;
  const { step } = placeOf(flow);
  if (purpose === 'ask') {
    const row = await dataSource.getRepository(AgentFlow).findOneBy({ id: flowId });
    if (row && !row.finishedAt) return row;
  } else {
    const run = await dataSource.getRepository(TrainingRun).findOneBy({ id: runId });
    if (run && !run.finishedAt && step <= run.steps) return { model: run.config.model, config: run.config.flow };
    const evaluation =
      purpose === 'evaluation' && (await dataSource.getRepository(BenchmarkEvaluation).findOneBy({ id: runId }));
    if (evaluation && !evaluation.finishedAt) {
      return { model: evaluation.config.model, config: evaluation.config.flow };
    }
  }
  throw notSubmitted(`The flow ${flowId} of ${runId} was not submitted, or it has ended.`);
}

function compare(activity: string, call: ModuleCall, { model, config, question }: Submitted): void {
  const said = call as unknown as Record<string, unknown>;
  const isYardstick = call.flow.purpose === 'evaluation' && YARDSTICKS.includes(call.planner?.engine ?? '');
  const expected = { ...REPEATED[activity](config), ...(call.model !== undefined && { model }) };
  const differing = Object.entries(expected)
    .filter(([name, value]) => !(name === 'planner' && isYardstick) && !isSame(said[name], value))
    .map(([name]) => name);
  if (question !== undefined && call.query?.question !== question) differing.push('question');
  if (call.tool !== undefined && !config.tools.includes(call.tool)) differing.push('tool');
  if (!isGranted(call.budget, config.budget)) differing.push('budget');
  if (differing.length === 0) return;
  throw nonRetryable(
    FailureType.BadConfiguration,
    `${activity} was called with another ${differing.join(', ')} than the flow ${call.flow.flowId} was submitted with. ` +
      'Only the API starts flows.',
  );
}

function isSame(a: unknown, b: unknown): boolean {
  return canonicalJson({ of: a }) === canonicalJson({ of: b });
}

/** A resumption grants the budget once more: any whole number of times. */
function isGranted(budget: Budget | undefined, submitted: Budget | undefined): boolean {
  if (!submitted) return true;
  const units = ['tokens', 'money', 'calls'] as const;
  const unit = units.find((name) => submitted[name]);
  if (!unit) return true;
  const times = Math.round((budget?.[unit] ?? 0) / submitted[unit]!);
  return times >= 1 && units.every((name) => !submitted[name] || budget?.[name] === submitted[name] * times);
}

function notSubmitted(message: string): Error {
  return nonRetryable(FailureType.NotFound, `${message} Only the API starts flows.`);
}
