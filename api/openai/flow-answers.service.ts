import { Injectable } from '@nestjs/common';
import { ApiError } from '../common/api-error.js';
import type { AgentFlowDto } from '../agent-flows/dto/agent-flow.dto.js';
import type { FlowEventDto } from '../agent-flows/dto/flow-event.dto.js';
import type { UsageDto } from '../agent-flows/dto/usage.dto.js';
import { FlowEventsService } from '../agent-flows/flow-events.service.js';
import { toldOf } from './told-of.js';

/** Of a request that is not streamed. Node's fetch gives up on an answer whose headers take 300 s. */
export const WAIT_BOUNDS = { answerMs: 240_000 };

/** A flow that came to an answer. */
export interface FlowAnswer {
  answer: string;
  outcome: string;
  turns: number;
  usage: UsageDto;
}

/** What a flow tells on its way: a step of its reasoning, and at the end its answer. */
export type FlowPart = { reasoning: string } | FlowAnswer;

/**
 * A flow that gives no answer to this request. The status is one that no client repeats by itself: a repeated request
 * without an Idempotency-Key would be another flow.
 */
export class FlowNotAnswered extends ApiError {
  /** @param isRunning whether the same request, repeated, can get the answer without anybody doing something */
  constructor(
    code: string,
    message: string,
    readonly isRunning = false,
  ) {
    super(400, 'server_error', code, message);
  }
}

@Injectable()
export class FlowAnswersService {
  constructor(private readonly events: FlowEventsService) {}

  /**
   * The parts of a flow from its beginning, as they come; an empty page at each look that finds nothing. Ends after the
   * answer, or when `signal` is aborted.
   * @throws FlowNotAnswered if the flow has failed, was cancelled, or is paused
   */
  async *follow(project: string, flow: AgentFlowDto, signal: AbortSignal): AsyncGenerator<FlowPart[], void> {
    for await (const events of this.events.follow(project, flow.id, 0, signal)) {
      yield events.flatMap(toPart);
      const stopped = events.find(({ type }) => type in STOPPED);
      if (stopped) throw notAnswered(flow.id, stopped);
    }
  }

  /**
   * Waits for the answer of a flow.
   * @returns undefined if the client has gone
   * @throws FlowNotAnswered, also if it takes longer than a client can wait
   */
  async wait(
    project: string,
    flow: AgentFlowDto,
    gone: AbortSignal,
  ): Promise<{ reasoning: string[]; answer: FlowAnswer } | undefined> {
    const signal = AbortSignal.any([gone, AbortSignal.timeout(WAIT_BOUNDS.answerMs)]);
    const reasoning: string[] = [];
    for await (const parts of this.follow(project, flow, signal)) {
      for (const part of parts) {
        if ('answer' in part) return { reasoning, answer: part };
        reasoning.push(part.reasoning);
      }
    }
    if (gone.aborted) return undefined;
    throw stillRunning(flow.id);
  }
}

function toPart(event: FlowEventDto): FlowPart[] {
  if (event.type !== 'flow.completed') return toldOf(event).map((reasoning) => ({ reasoning }));
  const { answer, outcome, turns, usage } = event.data as unknown as FlowAnswer & { answer: string | null };
  // Clients take a missing text for a call of a tool.
  return [{ answer: answer ?? '', outcome, turns, usage }];
}

/** How a flow ends, or waits, without an answer: the code of the error, and its words. */
const STOPPED: Partial<Record<FlowEventDto['type'], { code: string; words: string }>> = {
  'flow.failed': { code: 'agent_flow_failed', words: 'has failed' },
  'flow.cancelled': { code: 'agent_flow_cancelled', words: 'was cancelled' },
  'flow.paused': { code: 'agent_flow_paused', words: 'is paused' },
};

function notAnswered(id: string, { type, data }: FlowEventDto): FlowNotAnswered {
  const { code, words } = STOPPED[type]!;
  const failure = data['failure'] as { type: string; message: string } | null;
  const reason = failure ? `: ${failure.type}: ${failure.message}` : '';
  return new FlowNotAnswered(code, `The agent flow ${id} ${words}${reason}. ${nextOf(id, type)}`);
}

function nextOf(id: string, type: FlowEventDto['type']): string {
  if (type === 'flow.paused') {
    return (
      `It goes on from there after POST /v1/agent_flows/${id}/resume (npx agentflow solve --id ${id} --resume); then ` +
      `repeat the request with its Idempotency-Key, or read GET /v1/agent_flows/${id}.`
    );
  }
  return `GET /v1/agent_flows/${id} tells what it did. The same request without its Idempotency-Key asks anew.`;
}

function stillRunning(id: string): FlowNotAnswered {
  const message =
    `The agent flow ${id} has not answered within ${WAIT_BOUNDS.answerMs / 1000} s, and goes on. Repeat the request with ` +
    `its Idempotency-Key to wait on, take "stream": true, or read GET /v1/agent_flows/${id}.`;
  return new FlowNotAnswered('agent_flow_running', message, true);
}
