import { Outage } from '../failures/outage.js';
import { z } from 'zod';
import type { Query } from '../../contracts/flow.js';
import type { CallMistakeKind } from '../../contracts/mistakes.js';

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

/**
 * Thrown by a tool that knows that its call was not made: an outage, after which it may be made again, whatever the tool
 * (I2). Of any other error of a tool that may not be repeated it is not known what was done before it.
 */
export class ToolNotCalled extends Outage {
  override readonly name: string = 'ToolNotCalled';
}

/** Thrown when a tool outlives its timeout: an outage, retried by Temporal, and never the planner's mistake (I2). */
export class ToolTimedOut extends Outage {
  override name = 'ToolTimedOut';
  constructor(tool: string, timeoutMs: number) {
    super(`The tool ${tool} did not answer within ${timeoutMs} ms.`);
  }
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
  /**
   * Whether a call may be made again where it is not known what became of the first: it changes nothing, or the same again.
   * Any other call is made once (callTool).
   */
  repeatable: boolean;
  /** What its results depend on beside its arguments, such as the data that it reads: a part of a run's identity (I8). */
  identity?: string;
  /** Whether it may ask a language model (ToolContext.generate): its calls keep to the limits of the model's provider. */
  asksModel?: boolean;
  /** Validates model-written arguments (I10). */
  parse(input: unknown): { arguments: Arguments; mistake?: undefined } | Mistake;
  run(input: Arguments, context: ToolContext): Promise<ToolOutcome>;
}

/**
 * A tool of the product: its arguments are a zod schema, with a message for the planner where it refuses. None changes
 * anything outside of itself: its calls may be repeated.
 */
export interface ToolDefinition<Schema extends z.ZodObject> extends Pick<
  Tool,
  'name' | 'title' | 'description' | 'timeoutMs' | 'asksModel' | 'identity'
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
    repeatable: true,
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
