import { z } from 'zod';
import type { AgentFlow, Rollout, Turn } from '../../../infra/database/entities/index.js';
import { flowSchema } from '../../../contracts/flow-config.js';
import { EXCLUDED_OUTCOMES, SCORED_OUTCOMES } from '../../../contracts/flow.js';
import { named } from '../../common/json-schema.js';
import { listSchema } from '../../common/list.dto.js';
import { memoryEntrySchema } from '../../rollouts/rollout.dto.js';
import { toTurnDto, turnSchema } from '../../rollouts/turn.dto.js';
import { usageOf, usageSchema } from './usage.dto.js';

const FLOW_STATUSES = [
  'queued',
  'running',
  'paused',
  'completed',
  'failed',
  'cancelled',
] as const satisfies AgentFlow['status'][];

named('AgentFlowConfig', flowSchema);

export const agentFlowSchema = z.object({
  id: z.string().describe('Also the id of the Temporal workflow.'),
  object: z.literal('agent_flow'),
  status: z.enum(FLOW_STATUSES),
  question: z.string(),
  images: z.array(z.object({ media_type: z.string(), sha256: z.string() })),
  model: z.string(),
  policy: z.string().nullable().describe('The policy that plans, resolved when the flow was created.'),
  policy_sha256: z.string().nullable(),
  dataset: z.object({ name: z.string(), seed: z.int() }),
  seed: z.int().nullable(),
  flow: flowSchema,
  outcome: z.enum([...SCORED_OUTCOMES, ...EXCLUDED_OUTCOMES]).nullable(),
  answer: z.string().nullable().describe('The first of `flow.outputs`.'),
  answers: z.record(z.string(), z.string()).nullable().describe('All answers, if `flow.outputs` names several.'),
  turns: z.int().nullable(),
  tools: z.array(z.string()).nullable().describe('One per turn; `none` for a plan that could not be read.'),
  failure: z.object({ type: z.string(), message: z.string() }).nullable().describe('Why it failed, or is paused.'),
  created_at: z.iso.datetime(),
  started_at: z.iso.datetime().nullable(),
  paused_at: z.iso.datetime().nullable().describe('Null unless it is paused.'),
  finished_at: z.iso.datetime().nullable(),
});
export type AgentFlowDto = z.infer<typeof agentFlowSchema>;

export const agentFlowListSchema = listSchema('AgentFlow', agentFlowSchema);

export const agentFlowTraceSchema = agentFlowSchema.extend({
  usage: usageSchema,
  memory: z.array(memoryEntrySchema).nullable().describe('As the modules saw it last; null until the flow has ended.'),
  turn_records: z.array(turnSchema).describe('What each agent module did, with prompts, replies and times.'),
});
export type AgentFlowTraceDto = z.infer<typeof agentFlowTraceSchema>;

export function toAgentFlowDto(row: AgentFlow): AgentFlowDto {
  const { result } = row;
  return {
    id: row.id,
    object: 'agent_flow',
    status: row.status,
    question: row.question,
    images: row.images.map(({ mediaType, sha256 }) => ({ media_type: mediaType, sha256 })),
    model: row.model,
    policy: row.policyName,
    policy_sha256: row.policySha256,
    dataset: row.dataset,
    seed: row.seed,
    flow: row.config as AgentFlowDto['flow'],
    outcome: result?.outcome ?? null,
    answer: result?.answer ?? null,
    answers: result?.answers ?? null,
    turns: result?.turns ?? null,
    tools: result?.tools ?? null,
    failure: row.failure && { type: row.failure.type, message: row.failure.message },
    created_at: row.createdAt.toISOString(),
    started_at: row.startedAt?.toISOString() ?? null,
    paused_at: row.pausedAt?.toISOString() ?? null,
    finished_at: row.finishedAt?.toISOString() ?? null,
  };
}

/** @param turns in the order in which they were made */
export function toTraceDto(row: AgentFlow, turns: readonly Turn[], rollout: Rollout | null): AgentFlowTraceDto {
  return {
    ...toAgentFlowDto(row),
    usage: usageOf(turns),
    memory: rollout?.memory ?? null,
    turn_records: turns.map(toTurnDto),
  };
}
