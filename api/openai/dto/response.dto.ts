import { z } from 'zod';
import type { AgentFlowDto } from '../../agent-flows/dto/agent-flow.dto.js';
import { named } from '../../common/json-schema.js';
import type { FlowAnswer } from '../flow-answers.service.js';
import { agentFlowPartSchema, headOf, toAgentFlowPart } from './chat.dto.js';

const status = z.enum(['in_progress', 'completed']);

const summaryPartSchema = z.object({ type: z.literal('summary_text'), text: z.string() });
const textPartSchema = z.object({
  type: z.literal('output_text'),
  text: z.string(),
  annotations: z.array(z.unknown()),
  logprobs: z.array(z.unknown()),
});
const reasoningItemSchema = z
  .object({ id: z.string(), type: z.literal('reasoning'), status, summary: z.array(summaryPartSchema) })
  .describe('What the turns said, a part each.');
const messageItemSchema = z.object({
  id: z.string(),
  type: z.literal('message'),
  role: z.literal('assistant'),
  status,
  content: z.array(textPartSchema),
});
const outputItemSchema = z.discriminatedUnion('type', [reasoningItemSchema, messageItemSchema]);
export type OutputItem = z.infer<typeof outputItemSchema>;

export const responseSchema = z.object({
  id: z.string().describe('Of the agent flow.'),
  object: z.literal('response'),
  created_at: z.int(),
  model: z.string(),
  status: z.enum(['in_progress', 'completed', 'failed']),
  output: z.array(outputItemSchema),
  usage: z
    .object({
      input_tokens: z.int(),
      input_tokens_details: z.object({ cached_tokens: z.literal(0) }),
      output_tokens: z.int(),
      output_tokens_details: z.object({ reasoning_tokens: z.literal(0) }),
      total_tokens: z.int(),
    })
    .nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  incomplete_details: z.null(),
  instructions: z.null(),
  previous_response_id: z.null(),
  metadata: z.object({}),
  parallel_tool_calls: z.literal(false),
  tool_choice: z.literal('none'),
  tools: z.array(z.never()),
  temperature: z.null(),
  top_p: z.null(),
  max_output_tokens: z.null(),
  background: z.literal(false),
  store: z.literal(true),
  truncation: z.literal('disabled'),
  text: z.object({ format: z.object({ type: z.literal('text') }) }),
  reasoning: z.object({ effort: z.null(), summary: z.null() }),
  agent_flow: agentFlowPartSchema.optional(),
});
export type ResponseDto = z.infer<typeof responseSchema>;

export const responseEventSchema = z
  .looseObject({ type: z.string(), sequence_number: z.int().describe('From 0, without gaps.') })
  .describe("One of OpenAI's typed events.");
named('OpenAiResponseEvent', responseEventSchema);

const SETTINGS = {
  incomplete_details: null,
  instructions: null,
  previous_response_id: null,
  metadata: {},
  parallel_tool_calls: false,
  tool_choice: 'none',
  tools: [] as never[],
  temperature: null,
  top_p: null,
  max_output_tokens: null,
  background: false,
  store: true,
  truncation: 'disabled',
  text: { format: { type: 'text' } },
  reasoning: { effort: null, summary: null },
} as const;

export function reasoningItem(flow: AgentFlowDto, status: OutputItem['status'], texts: readonly string[]): OutputItem {
  return { id: `rs_${flow.id}`, type: 'reasoning', status, summary: texts.map(summaryPart) };
}

export function messageItem(flow: AgentFlowDto, status: OutputItem['status'], text?: string): OutputItem {
  const content = text === undefined ? [] : [textPart(text)];
  return { id: `msg_${flow.id}`, type: 'message', role: 'assistant', status, content };
}

export function summaryPart(text: string): z.infer<typeof summaryPartSchema> {
  return { type: 'summary_text', text };
}

export function textPart(text: string): z.infer<typeof textPartSchema> {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

/** A response that has no answer yet, or gets none. */
export function toOpenResponse(flow: AgentFlowDto, error: ResponseDto['error'] = null): ResponseDto {
  const { id, created, model } = headOf(flow);
  const status = error ? 'failed' : 'in_progress';
  return { id, object: 'response', created_at: created, model, status, output: [], usage: null, error, ...SETTINGS };
}

export function toResponse(flow: AgentFlowDto, reasoning: readonly string[], answer: FlowAnswer): ResponseDto {
  const { prompt_tokens: input, completion_tokens: output } = answer.usage;
  return {
    ...toOpenResponse(flow),
    status: 'completed',
    output: [
      ...(reasoning.length > 0 ? [reasoningItem(flow, 'completed', reasoning)] : []),
      messageItem(flow, 'completed', answer.answer),
    ],
    usage: {
      input_tokens: input,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: input + output,
    },
    agent_flow: toAgentFlowPart(flow, answer),
  };
}
