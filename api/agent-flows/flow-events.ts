import type { AgentFlow, Turn } from '../../infra/database/entities/index.js';
import { isEnded } from '../../infra/database/submission-rows.js';
import type { Execution, Plan, Timed, Verdict } from '../../contracts/agent-activities.js';
import type { Analysis } from '../../contracts/flow.js';
import type { AnswerKind } from '../../contracts/flow-config.js';
import type { FlowEventDto, FlowEventType } from './dto/flow-event.dto.js';
import type { UsageDto } from './dto/usage.dto.js';

/** What a flow's events are made from: a turn's row without its tokens. */
export type TurnOutput = Pick<Turn, 'turn' | 'module' | 'output' | 'createdAt'>;

/**
 * An event's sequence is a function of what it tells and of nothing else, so that it is the same for every reader. A
 * flow makes its calls one after the other and each commits its row before the next begins: sequences become visible in
 * ascending order, and a reader by sequence misses nothing.
 */
const QUEUED = 1000;
const ANALYSIS = 2000;
const TURN = 10_000;
const PLAN = 0;
const TOOL_CALL = 1000;
const TOOL_RESULT = 2000;
const VERDICT = 3000;
/** After the longest flow's last turn. */
const ANSWERS = 1_000_000;
const ANSWER = 1000;
const END = 1_010_000;
/** Pauses between two of the other events that can have a sequence each. */
const PAUSES = 999;

type Told = [sequence: number, type: FlowEventType, data: Record<string, unknown>, at: Date];

/** The last sequence of a flow that has ended. Each life has an end of its own. */
export function lastSequence({ lives }: Pick<AgentFlow, 'lives'>): number {
  return END + lives - 1;
}

/** The first turn that an event after this sequence can belong to, if it belongs to a turn. */
export function turnAfter(sequence: number): number {
  return Math.floor(sequence / TURN);
}

/**
 * The events of a flow in order, as far as its rows tell them.
 * @param usage of a flow that has ended
 */
export function flowEvents(flow: AgentFlow, turns: readonly TurnOutput[], usage?: UsageDto): FlowEventDto[] {
  const told = [queued(flow), ...turns.filter(wasToldBy(flow)).flatMap((turn) => toldBy(flow, turn, turns))];
  return [...told, ...pause(flow, told), ...end(flow, usage)]
    .toSorted(([a], [b]) => a - b)
    .map((event) => toDto(flow.id, event));
}

/** What a lost attempt writes after its flow has ended belongs to no stream: it would come after the end. */
function wasToldBy({ turnsAtEnd }: AgentFlow): (turn: TurnOutput) => boolean {
  const told = turnsAtEnd && new Set(turnsAtEnd);
  return ({ turn, module }) => !told || told.has(`${turn}/${module}`);
}

function queued({ question, model, policyName, policySha256, config, createdAt }: AgentFlow): Told {
  const policy = { policy: policyName, policy_sha256: policySha256 };
  return [QUEUED, 'flow.queued', { question, model, ...policy, max_turns: config.max_turns }, createdAt];
}

/** After all that was told. A flow that goes on has no such event: who did not see it wait misses nothing. */
function pause({ status, statusVersion, failure, pausedAt }: AgentFlow, told: readonly Told[]): Told[] {
  if (status !== 'paused' || !pausedAt) return [];
  const last = Math.max(...told.map(([sequence]) => sequence));
  return [[last + Math.min(statusVersion, PAUSES), 'flow.paused', { failure }, pausedAt]];
}

function end(flow: AgentFlow, usage?: UsageDto): Told[] {
  const { status, result, failure, finishedAt } = flow;
  if (!isEnded(flow) || !finishedAt) return [];
  const { outcome = null, answer = null, turns = null } = result ?? {};
  return [
    [lastSequence(flow), `flow.${status}` as FlowEventType, { outcome, answer, turns, usage, failure }, finishedAt],
  ];
}

function toldBy(flow: AgentFlow, row: TurnOutput, all: readonly TurnOutput[]): Told[] {
  const { turn, module, output, createdAt: at } = row;
  const first = TURN * turn;
  switch (module) {
    case 'query_analysis': {
      const { analysis, seconds } = output as Timed<{ analysis: Analysis }>;
      return [[ANALYSIS, 'flow.analysis', { ...analysis, seconds }, at]];
    }
    case 'planner':
      return [[first + PLAN, 'turn.plan', planData(turn, output as Timed<Plan>), at]];
    case 'executor': {
      const { command, result, mistake, mistakeKind, seconds } = output as Timed<Execution>;
      const tool = toolOf(turn, all);
      return [
        [first + TOOL_CALL, 'turn.tool_call', { turn, tool, command }, at],
        [first + TOOL_RESULT, 'turn.tool_result', { turn, result, mistake, mistake_kind: mistakeKind, seconds }, at],
      ];
    }
    case 'verifier': {
      const { verdict, critique, seconds } = output as Timed<Verdict>;
      return [[first + VERDICT, 'turn.verdict', { turn, verdict, critique, seconds }, at]];
    }
    default:
      return toldByGenerator(flow, row);
  }
}

function planData(turn: number, plan: Timed<Plan>) {
  const { text, justification, context, subGoal, tool, mistake, mistakeKind, seconds } = plan;
  return { turn, text, justification, context, sub_goal: subGoal, tool, mistake, mistake_kind: mistakeKind, seconds };
}

function toolOf(turn: number, rows: readonly TurnOutput[]): string | undefined {
  const plan = rows.find((row) => row.turn === turn && row.module === 'planner')?.output as Plan | undefined;
  return plan?.tool;
}

/** `generator` writes the direct answer, `generator.final` and `generator.base` the others. */
function toldByGenerator({ config }: AgentFlow, { module, output, createdAt }: TurnOutput): Told[] {
  const [name, kind = 'direct'] = module.split('.');
  const place = config.outputs.indexOf(kind as AnswerKind);
  if (name !== 'generator' || place < 0) return [];
  const { answer, seconds } = output as Timed<{ answer: string }>;
  return [[ANSWERS + ANSWER * place, 'flow.answer', { output: kind, answer, seconds }, createdAt]];
}

function toDto(flowId: string, [sequence, type, data, at]: Told): FlowEventDto {
  return {
    id: String(sequence),
    object: 'agent_flow.event',
    flow_id: flowId,
    sequence,
    type,
    data,
    created_at: at.toISOString(),
  };
}
