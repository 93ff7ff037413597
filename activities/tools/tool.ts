import type { z } from 'zod';
import type { Query } from '../../workflows/contracts/flow.js';

/** What a tool may know about the flow that calls it. It holds no ground truth. */
export interface ToolContext {
  flowId: string;
  turn: number;
  dataset: Query['dataset'];
  /** Registered name of the model that the run trains; tools use its untrained base. */
  model: string;
  /** Unsigned 64-bit decimal; equal for every attempt of the same turn (I5). */
  seed: string;
  signal: AbortSignal;
}

/** `mistake` is the tool's refusal of its input, in words for the planner. An outage is thrown instead (I2). */
export type ToolOutcome = { result: string; mistake?: undefined } | { mistake: string; result?: undefined };

/** What the executor runs. */
export interface Tool<Input extends z.ZodObject = z.ZodObject> {
  /** Registered name, lower case. */
  name: string;
  /** The name that the planner reads and writes. */
  title: string;
  /** One line for the planner's prompt. */
  description: string;
  inputSchema: Input;
  /** The input that the scripted executor fills with the planner's sub-goal. */
  subGoalField: keyof z.infer<Input> & string;
  timeoutMs: number;
  run(input: z.infer<Input>, context: ToolContext): Promise<ToolOutcome>;
}
