import type { FlowEvent } from '../client/api-types.js';
import { oneLine } from './format.js';

type Data = FlowEvent['data'];

/** The longest text that a line shows; the whole is in the trace. */
const LONGEST = 500;

const DESCRIPTIONS: Record<FlowEvent['type'], (data: Data) => string[]> = {
  'flow.queued': ({ policy, model, max_turns }) => [
    line('asked', `${text(policy ?? model)}, at most ${text(max_turns)} turns`),
  ],
  'flow.analysis': ({ summary }) => [line('analysis', summary)],
  'turn.plan': ({ turn, tool, sub_goal, mistake, text: said }) => [
    line(`turn ${text(turn)}`, mistake === undefined ? `${text(tool)}: ${text(sub_goal)}` : said),
    ...optional('  mistake', mistake),
  ],
  'turn.tool_call': ({ command }) => [line('  call', command)],
  'turn.tool_result': ({ result, mistake }) => [...optional('  result', result), ...optional('  mistake', mistake)],
  'turn.verdict': ({ verdict, critique }) => [line('  verdict', `${text(verdict)}: ${text(critique)}`)],
  'flow.answer': ({ output, answer }) => [line(output === 'direct' ? 'answer' : `answer (${text(output)})`, answer)],
  'flow.paused': ({ failure }) => [line('paused', describeFailure(failure))],
  'flow.completed': ({ outcome }) => [line('completed', outcome)],
  'flow.failed': ({ failure }) => [line('failed', describeFailure(failure))],
  'flow.cancelled': () => ['cancelled'],
};

/** What an event of a flow tells, on a line or two. */
export function describeFlowEvent({ type, data }: FlowEvent): string[] {
  return DESCRIPTIONS[type](data);
}

function optional(name: string, value: unknown): string[] {
  return value === undefined || value === '' ? [] : [line(name, value)];
}

function line(name: string, value: unknown): string {
  return `${name.padEnd(10)} ${oneLine(text(value), LONGEST)}`;
}

function describeFailure(failure: unknown): string {
  const { type, message } = failure as { type?: string; message?: string };
  return `${type}: ${message}`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}
