import { cutText } from './cut-text.js';
import { mistake, type Tool, type ToolContext, type ToolOutcome } from './tool.js';

/** The limit of a result in a turn's row. Workflow memory takes less: cutText (I6). */
export const RESULT_BYTES = 128 * 1024;
/** Words for the planner: every later prompt repeats them. */
export const MISTAKE_BYTES = 2 * 1024;

/** Thrown when a tool outlives its timeout: an outage, retried by Temporal, and never the planner's mistake (I2). */
export class ToolTimedOut extends Error {
  override name = 'ToolTimedOut';
  constructor(tool: Tool) {
    super(`The tool ${tool.name} did not answer within ${tool.timeoutMs} ms.`);
  }
}

/**
 * Validates the arguments and runs the tool, at most `timeoutMs` long: then its signal is aborted and its late answer
 * ignored. Synchronous tools bound their work by the size of their input. What comes back is bounded.
 */
export async function runTool(tool: Tool, input: unknown, context: ToolContext): Promise<ToolOutcome> {
  const parsed = tool.parse(input);
  if (parsed.mistake !== undefined) return bounded(parsed);
  context.signal.throwIfAborted();
  const timeout = new AbortController();
  const signal = AbortSignal.any([context.signal, timeout.signal]);
  let timer: NodeJS.Timeout | undefined;
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    timer = setTimeout(() => timeout.abort(new ToolTimedOut(tool)), tool.timeoutMs);
  });
  try {
    return bounded(await Promise.race([tool.run(parsed.arguments, { ...context, signal }), interrupted]));
  } catch (error) {
    throw timeout.signal.aborted ? timeout.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

function bounded(outcome: ToolOutcome): ToolOutcome {
  return outcome.mistake === undefined
    ? { result: cutText(outcome.result, RESULT_BYTES) }
    : mistake(outcome.kind, cutText(outcome.mistake, MISTAKE_BYTES));
}
