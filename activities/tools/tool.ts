import { z } from 'zod';
import type { Query } from '../../workflows/contracts/flow.js';
import type { CallMistakeKind } from '../../workflows/contracts/mistakes.js';

/** What a tool asks a language model. */
export interface GenerateRequest {
  /** What the model is to do. */
  instruction: string;
  prompt: string;
}

/** What a tool may know about the flow that calls it. It holds no ground truth. */
export interface ToolContext {
  flowId: string;
  turn: number;
  dataset: Query['dataset'];
  /** Unsigned 64-bit decimal; equal for every attempt of the same turn (I5). */
  seed: string;
  signal: AbortSignal;
  /** `compact` where `generate` asks a small model: it does one short thing at a time. */
  promptStyle: 'full' | 'compact';
  /**
   * The reply of the language model that the configuration binds tools to (`flow.tool_engine`), kept in the turn's row.
   * Fails with PromptTooLong (isPromptTooLong) where the prompt does not fit; an outage is thrown and retried.
   */
  generate(request: GenerateRequest): Promise<string>;
}

/** A mistake is the tool's refusal of its arguments, in words for the planner. */
export interface Mistake {
  mistake: string;
  kind: CallMistakeKind;
  result?: undefined;
}

export type ToolOutcome = { result: string; mistake?: undefined } | Mistake;

export const mistake = (kind: CallMistakeKind, words: string): Mistake => ({ mistake: words, kind });

/** A JSON schema of an object: draft 2020-12 for the tools of the product, whatever its server says for an MCP tool. */
export type JsonSchema = Record<string, unknown>;

/** What planners on larger models are told besides the description. */
export interface ToolMetadata {
  limitations: readonly string[];
  bestPractices: readonly string[];
  demos: readonly { purpose: string; arguments: Record<string, unknown> }[];
}

/** What the executor runs. */
export interface Tool<Arguments = unknown> {
  /** Registered name, lower case. */
  name: string;
  /** The name that the planner reads and writes: letters, digits, `_` and `-`. */
  title: string;
  /** One line for the planner's prompt. */
  description: string;
  metadata: ToolMetadata;
  /** What the executor's model is shown and held to. `parse` is what decides. */
  inputJsonSchema: JsonSchema;
  /** The argument that the scripted executor fills with the planner's sub-goal; without one the sub-goal is JSON. */
  subGoalField?: string;
  timeoutMs: number;
  /** Validates model-written arguments (I10). */
  parse(input: unknown): { arguments: Arguments; mistake?: undefined } | Mistake;
  run(input: Arguments, context: ToolContext): Promise<ToolOutcome>;
}

/** A tool of the product: its arguments are a zod schema, with a message for the planner where it refuses. */
export interface ToolDefinition<Schema extends z.ZodObject> extends Pick<
  Tool,
  'name' | 'title' | 'description' | 'timeoutMs'
> {
  inputSchema: Schema;
  subGoalField?: keyof z.infer<Schema> & string;
  metadata?: Partial<ToolMetadata>;
  run(input: z.infer<Schema>, context: ToolContext): Promise<ToolOutcome>;
}

export function defineTool<Schema extends z.ZodObject>({
  inputSchema,
  metadata,
  ...rest
}: ToolDefinition<Schema>): Tool<z.infer<Schema>> {
  return {
    ...rest,
    metadata: { limitations: [], bestPractices: [], demos: [], ...metadata },
    inputJsonSchema: jsonSchemaOf(inputSchema),
    parse: (input) => {
      const parsed = inputSchema.safeParse(input);
      if (parsed.success) return { arguments: parsed.data };
      return mistake('invalid_arguments', parsed.error.issues.map(({ message }) => message).join('; '));
    },
  };
}

function jsonSchemaOf(schema: z.ZodObject): JsonSchema {
  const jsonSchema: JsonSchema = z.toJSONSchema(schema, { io: 'input' });
  delete jsonSchema.$schema;
  return jsonSchema;
}
