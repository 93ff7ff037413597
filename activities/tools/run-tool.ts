import type { Tool, ToolContext, ToolOutcome } from './tool.js';

/** Thrown when a tool outlives its timeout: an outage, retried by Temporal, and never the planner's mistake (I2). */
export class ToolTimedOut extends Error {
  override name = 'ToolTimedOut';
  constructor(tool: Tool) {
    super(`The tool ${tool.name} did not answer within ${tool.timeoutMs} ms.`);
  }
}

/**
 * Validates the input and runs the tool, at most `timeoutMs` long: then its signal is aborted and its late answer
 * ignored. Synchronous tools bound their work by the size of their input.
 */
export async function runTool(tool: Tool, input: unknown, context: ToolContext): Promise<ToolOutcome> {
  const parsed = tool.inputSchema.safeParse(input);
  if (!parsed.success) {
    return { mistake: parsed.error.issues.map((issue) => issue.message).join('; ') };
  }
  context.signal.throwIfAborted();
  const timeout = new AbortController();
  const signal = AbortSignal.any([context.signal, timeout.signal]);
  let timer: NodeJS.Timeout | undefined;
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    timer = setTimeout(() => timeout.abort(new ToolTimedOut(tool)), tool.timeoutMs);
  });
  try {
    return await Promise.race([tool.run(parsed.data, { ...context, signal }), interrupted]);
  } catch (error) {
    throw timeout.signal.aborted ? timeout.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}
