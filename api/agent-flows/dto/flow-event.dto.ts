import { z } from 'zod';
import { listSchema } from '../../common/list.dto.js';

const FLOW_EVENTS = [
  'flow.queued',
  'flow.analysis',
  'turn.plan',
  'turn.tool_call',
  'turn.tool_result',
  'turn.verdict',
  'flow.answer',
  'flow.paused',
  'flow.completed',
  'flow.failed',
  'flow.cancelled',
] as const;
export type FlowEventType = (typeof FLOW_EVENTS)[number];

export const flowEventSchema = z.object({
  id: z.string().describe('The sequence as text: the cursor of this list and the id of the server-sent event.'),
  object: z.literal('agent_flow.event'),
  flow_id: z.string(),
  sequence: z.int().describe('Ascending, with gaps: it says which turn and which part of it the event is.'),
  type: z.enum(FLOW_EVENTS),
  data: z.record(z.string(), z.unknown()),
  created_at: z.iso.datetime(),
});
export type FlowEventDto = z.infer<typeof flowEventSchema>;

export const flowEventListSchema = listSchema('FlowEvent', flowEventSchema);
