import type { FlowEventDto } from '../agent-flows/dto/flow-event.dto.js';

type Line = (data: Record<string, unknown>) => [what: string, text: unknown];

const turn = (data: Record<string, unknown>, what: string) => `Turn ${String(data['turn'])}, ${what}`;

const LINES: Partial<Record<FlowEventDto['type'], Line>> = {
  'flow.analysis': ({ summary }) => ['Analysis', summary],
  'turn.plan': (data) => [turn(data, 'plan'), data['mistake'] ?? data['text']],
  'turn.tool_call': (data) => [turn(data, String(data['tool'])), data['command']],
  'turn.tool_result': (data) => [turn(data, 'result'), data['mistake'] ?? data['result']],
  'turn.verdict': (data) => [turn(data, 'verdict'), [data['verdict'], data['critique']].filter(Boolean).join(': ')],
};

/** What an event says of a flow's reasoning, as a line or none. */
export function toldOf({ type, data }: FlowEventDto): string[] {
  const [what, text] = LINES[type]?.(data) ?? [];
  return typeof text === 'string' && text.trim() !== '' ? [`${what}: ${text.trim()}\n`] : [];
}
