import { ApplicationFailure } from '@temporalio/common';
import { redact, redactKnown, redactKnownStart } from '../../infra/redaction/redact.js';
import { cutText } from '../text/cut-text.js';
import { flawInValue } from '../text/json-flaws.js';
import {
  mistake,
  ToolNotCalled,
  ToolTimedOut,
  type Mistake,
  type Tool,
  type ToolContext,
  type ToolOutcome,
} from './tool.js';
import { TimeLimit } from '../time-limit.js';

/** The limit of a result in a turn's row. Workflow memory takes less: cutText (I6). */
export const RESULT_BYTES = 128 * 1024;
/** Words for the planner: every later prompt repeats them. */
export const MISTAKE_BYTES = 2 * 1024;

/** Where a call that is made once is noted before it is made. */
export interface CallNote {
  /** @returns false where an earlier attempt has noted it, so that it may have been made */
  begin(): Promise<boolean>;
  /** The call is known not to have been made. */
  withdraw(): Promise<void>;
}

/** What is remembered of a call of which nobody knows what became. No error of the infrastructure is in it. */
const OUTCOME_UNKNOWN: Mistake = mistake(
  'outcome_unknown',
  'it is not known whether this call was carried out: its result was lost, and it is not made again by itself',
);

/** The outcome of a call, and for the operator why it is not known. */
export type CallOutcome = ToolOutcome & { reason?: string };

/**
 * Calls a tool as often as it may be called: one that may be repeated at every attempt, any other once, whatever becomes
 * of it. Where its outcome is lost, that is the outcome (I15).
 * @throws an outage: of a repeatable tool any, of another one ToolNotCalled; failures that end the activity
 */
export async function callTool(tool: Tool, input: unknown, context: ToolContext, note: CallNote): Promise<CallOutcome> {
  if (tool.repeatable) return runTool(tool, input, context);
  const parsed = parse(tool, input);
  if (parsed.mistake !== undefined) return bounded(parsed);
  context.signal.throwIfAborted();
  if (!(await note.begin())) return { ...OUTCOME_UNKNOWN, reason: 'An earlier attempt began the call.' };
  try {
    return await carryOut(tool, parsed.arguments, context);
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof ToolNotCalled) await note.withdraw();
    if (error instanceof ToolNotCalled || isFinal(error)) throw error;
    return { ...OUTCOME_UNKNOWN, reason: cutText(redact(String(error)), MISTAKE_BYTES) };
  }
}

/**
 * Validates the arguments and runs the tool, at most `timeoutMs` long: then its signal is aborted and its late answer
 * ignored. Synchronous tools bound their work by the size of their input. What comes back is bounded and holds no key of the operator's.
 */
export async function runTool(tool: Tool, input: unknown, context: ToolContext): Promise<ToolOutcome> {
  const parsed = parse(tool, input);
  if (parsed.mistake !== undefined) return bounded(parsed);
  context.signal.throwIfAborted();
  return carryOut(tool, parsed.arguments, context);
}

/** What cannot be kept as it is never reaches a tool: its call could not be recorded (I16). */
function parse(tool: Tool, input: unknown): ReturnType<Tool['parse']> {
  const flaw = flawInValue(input);
  return flaw === undefined
    ? tool.parse(input)
    : mistake('invalid_arguments', `the arguments cannot be taken: ${flaw}`);
}

async function carryOut(tool: Tool, input: unknown, context: ToolContext): Promise<ToolOutcome> {
  const limit = new TimeLimit(context.signal, tool.timeoutMs);
  const { signal } = limit;
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  try {
    return bounded(await Promise.race([tool.run(input, { ...context, signal }), interrupted]));
  } catch (error) {
    throw limit.isOver ? new ToolTimedOut(tool.name, tool.timeoutMs) : error;
  } finally {
    limit.end();
  }
}

/** A failure that no retry can mend: it ends the activity, and is no outcome of the call. */
function isFinal(error: unknown): boolean {
  return error instanceof ApplicationFailure && error.nonRetryable === true;
}

/** Without the keys that a tool or its server repeats (I6), which are not looked for in what has been cut. */
function bounded(outcome: ToolOutcome): ToolOutcome {
  return outcome.mistake === undefined
    ? { result: kept(outcome.result, RESULT_BYTES) }
    : mistake(outcome.kind, kept(outcome.mistake, MISTAKE_BYTES));
}

/** No more than is kept is looked at, with some room for what a mask shortens: a server may send megabytes (I16). */
function kept(text: string, limit: number): string {
  if (text.length <= 2 * limit) return cutText(redactKnown(text), limit);
  return cutText(redactKnownStart(text, 2 * limit), limit, Buffer.byteLength(text));
}
