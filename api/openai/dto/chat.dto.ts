import { z } from 'zod';
import type { AgentFlowDto } from '../../agent-flows/dto/agent-flow.dto.js';
import { named } from '../../common/json-schema.js';
import type { FlowAnswer } from '../flow-answers.service.js';
import { toSeconds } from './model.dto.js';

const usage = z.object({ prompt_tokens: z.int(), completion_tokens: z.int(), total_tokens: z.int() });
const REASONING = 'What the turns said. A field of several servers; clients that do not know it ignore it.';

export const agentFlowPartSchema = z
  .object({ id: z.string(), outcome: z.string(), turns: z.int() })
  .describe('The flow that answered: `GET /v1/agent_flows/{id}` tells everything it did.');

const head = { id: z.string().describe('Of the agent flow.'), created: z.int(), model: z.string() };

export const chatCompletionSchema = z.object({
  ...head,
  object: z.literal('chat.completion'),
  choices: z.array(
    z.object({
      index: z.literal(0),
      message: z.object({
        role: z.literal('assistant'),
        content: z.string(),
        refusal: z.null(),
        reasoning_content: z.string().describe(REASONING),
      }),
      logprobs: z.null(),
      finish_reason: z.literal('stop'),
    }),
  ),
  usage,
  agent_flow: agentFlowPartSchema,
});
export type ChatCompletionDto = z.infer<typeof chatCompletionSchema>;

export const chatChunkSchema = z.object({
  ...head,
  object: z.literal('chat.completion.chunk'),
  choices: z.array(
    z.object({
      index: z.literal(0),
      delta: z.object({
        role: z.literal('assistant').optional(),
        content: z.string().optional(),
        reasoning_content: z.string().optional().describe(REASONING),
      }),
      logprobs: z.null(),
      finish_reason: z.literal('stop').nullable(),
    }),
  ),
  usage: usage.nullable().optional(),
  agent_flow: agentFlowPartSchema.optional(),
});
export type ChatChunkDto = z.infer<typeof chatChunkSchema>;
named('OpenAiChatCompletionChunk', chatChunkSchema);

/** The model that a flow answers as: what an alias was resolved to. */
function answeringModel({ policy, model, flow }: AgentFlowDto): string {
  if (flow.planner.engine === 'llm') return flow.planner.model;
  return policy ?? model;
}

export function headOf(flow: AgentFlowDto) {
  return { id: flow.id, created: toSeconds(flow.created_at), model: answeringModel(flow) };
}

export function toAgentFlowPart({ id }: AgentFlowDto, { outcome, turns }: FlowAnswer) {
  return { id, outcome, turns };
}

export function toChatUsage({ usage: { prompt_tokens, completion_tokens } }: FlowAnswer) {
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}

export function toChatCompletion(
  flow: AgentFlowDto,
  reasoning: readonly string[],
  answer: FlowAnswer,
): ChatCompletionDto {
  const message = {
    role: 'assistant' as const,
    content: answer.answer,
    refusal: null,
    reasoning_content: reasoning.join(''),
  };
  return {
    ...headOf(flow),
    object: 'chat.completion',
    choices: [{ index: 0, message, logprobs: null, finish_reason: 'stop' }],
    usage: toChatUsage(answer),
    agent_flow: toAgentFlowPart(flow, answer),
  };
}
