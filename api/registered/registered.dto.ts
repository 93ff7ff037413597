import { z } from 'zod';
import type { OperatorFile } from '../../infra/config/operator-file.js';
import type { ToolDescription } from '../../infra/database/entities/index.js';
import { listSchema } from '../common/list.dto.js';

/** What is told of a registration: never an address, a command, a path, or where a key is (I12). */

const baseModel = z.object({
  id: z.string(),
  object: z.literal('registered_model'),
  kind: z.literal('base').describe('To be trained, and sampled by the policy server.'),
  context: z.int().describe('Positions: prompt and response together.'),
  served: z.boolean().describe('Whether the policy server serves it: a vLLM server serves one model.'),
});

const languageModel = z.object({
  id: z.string(),
  object: z.literal('registered_model'),
  kind: z.literal('language_model').describe('Of a provider: modules of a flow, tools and the judge may ask it.'),
  context: z.int().describe('Tokens: prompt and reply together.'),
  provider: z.string().describe('Registered name; calls of a provider with limits wait for each other.'),
  output: z.enum(['json-schema', 'json', 'text']).describe('What a reply can be held to.'),
  images: z.boolean().describe('Whether it is shown the pictures of a question.'),
  price: z
    .object({ input: z.number(), output: z.number() })
    .nullable()
    .describe('Of a million tokens, in the unit of budgets. Null if it is not known.'),
});

export const registeredModelListSchema = listSchema(
  'RegisteredModel',
  z.discriminatedUnion('kind', [baseModel, languageModel]),
);
export type RegisteredModelDto = z.infer<typeof baseModel> | z.infer<typeof languageModel>;

const tool = z.object({
  id: z.string().describe('What `flow.tools` names.'),
  object: z.literal('tool'),
  mcp_server: z.string().nullable().describe('Registered name of the MCP server that it is a tool of.'),
  description: z
    .object({
      title: z.string().describe('What planners read and write.'),
      text: z.string().describe('What planners are told of it.'),
      input_schema: z.record(z.string(), z.unknown()).describe('JSON schema of its arguments.'),
      asks_model: z.boolean().describe('Whether it may ask a language model: such calls count in budgets.'),
      repeatable: z.boolean().describe('Whether a call may be made again if it is not known what became of the first.'),
      changed_at: z.iso.datetime(),
    })
    .nullable()
    .describe(
      'As the agent worker that started last knows it. Null if none has had it yet: its MCP server was not there, for one.',
    ),
});
export const toolListSchema = listSchema('Tool', tool);
export type ToolDto = z.infer<typeof tool>;

export function toModelDtos({ models, language_models, policy_server }: OperatorFile): RegisteredModelDto[] {
  const base = Object.entries(models).map(([id, { context }]) => ({
    id,
    object: 'registered_model' as const,
    kind: 'base' as const,
    context,
    served: policy_server.kind === 'embedded' || policy_server.model === id,
  }));
  const ofProviders = Object.entries(language_models).map(([id, { context, provider, output, images, price }]) => ({
    id,
    object: 'registered_model' as const,
    kind: 'language_model' as const,
    context,
    provider,
    output,
    images,
    price: price ?? null,
  }));
  return [...base, ...ofProviders];
}

export function toToolDto(id: string, known: ToolDescription | undefined): ToolDto {
  const dot = id.indexOf('.');
  return {
    id,
    object: 'tool',
    mcp_server: dot < 0 ? null : id.slice(0, dot),
    description: known
      ? {
          title: known.title,
          text: known.description,
          input_schema: known.inputSchema,
          asks_model: known.asksModel,
          repeatable: known.repeatable,
          changed_at: known.changedAt.toISOString(),
        }
      : null,
  };
}
