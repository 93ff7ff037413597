import { z } from 'zod';
import { EXCLUDED_OUTCOMES } from './flow.js';
import { NEXT_EXPORT_STATUSES } from './policy-export.js';
import { NEXT_WORK_STATUSES } from './submitted-flow.js';
import { NEXT_STATUSES } from './training-run.js';

const failure = z.looseObject({ type: z.string(), message: z.string() });
const policy = { policy: z.string(), policy_sha256: z.string() };
const step = z.int().min(0);

const runStatus = z.looseObject({
  status: z.string(),
  step: step.describe('The last step that is committed.'),
  steps: z.int().optional().describe('Steps asked for.'),
  policy: z.string().optional(),
  policy_sha256: z.string().nullish(),
  failure: failure.optional(),
  learning_rate: z.number().optional(),
});
const workStatus = z.looseObject({ status: z.string(), failure: failure.optional() });
const deletion = z.looseObject({ status: z.string().describe('What it had ended as.') });

function ofEach<Status extends string, Kind extends string, Data>(kind: Kind, statuses: object, data: Data) {
  const entries = Object.keys(statuses).map((status) => [`${kind}.${status}`, data]);
  return Object.fromEntries(entries) as Record<`${Kind}.${Status}`, Data>;
}

/** What a training run tells: its own stream, and its project's. Every type with the shape of its data. */
export const RUN_EVENTS = {
  ...ofEach<keyof typeof NEXT_STATUSES, 'run', typeof runStatus>('run', NEXT_STATUSES, runStatus),
  'run.recovered': z.looseObject({
    step: step.describe('The first step that was taken again.'),
    from: z.enum(['checkpoint', 'replay']).describe('What its state was made of again.'),
    seconds_lost: z.number().describe('That the step took longer than its own computation.'),
  }),
  'worker.lost': z.looseObject({
    worker: z.string().describe('A process that is started again is another worker.'),
    kind: z.enum(['agent', 'trainer']),
    identity: z.string().describe('`<pid>@<host>`, by which Temporal names it.'),
    last_seen_at: z.iso.datetime(),
    seconds_silent: z.number(),
  }),
  'step.completed': z.looseObject({ step, ...policy, metrics: z.record(z.string(), z.unknown()) }),
  'step.warned': z.looseObject({
    step,
    warnings: z.array(z.looseObject({ kind: z.string(), message: z.string() })),
  }),
  'rollout.excluded': z.looseObject({
    flow_id: z.string(),
    step,
    group: z.int(),
    rollout: z.int(),
    outcome: z.enum(EXCLUDED_OUTCOMES),
  }),
  'checkpoint.saved': z.looseObject({ step, sha256: z.string(), bytes: z.int() }),
  'evaluation.completed': z.looseObject({
    id: z.string(),
    step,
    planner: z.string(),
    ...policy,
    questions: z.int(),
    correct: z.int(),
    failed: z.int(),
    accuracy: z.number(),
    interval: z.array(z.number()),
    mean_turns: z.number(),
  }),
  'identity.allowed': z.looseObject({ parts: z.array(z.string()), from_step: step }),
};
export type RunEventType = keyof typeof RUN_EVENTS;
export const RUN_EVENT_TYPES = Object.keys(RUN_EVENTS) as RunEventType[];

/** What a project tells: every type with the shape of its data. Rows of an older version may lack keys of it. */
export const PROJECT_EVENTS = {
  ...RUN_EVENTS,
  'run.deleted': deletion,
  ...ofEach<keyof typeof NEXT_WORK_STATUSES, 'flow', typeof workStatus>('flow', NEXT_WORK_STATUSES, workStatus),
  'flow.deleted': deletion,
  ...ofEach<keyof typeof NEXT_WORK_STATUSES, 'benchmark_evaluation', typeof workStatus>(
    'benchmark_evaluation',
    NEXT_WORK_STATUSES,
    workStatus,
  ),
  'benchmark_evaluation.deleted': deletion,
  'dataset.ready': z.looseObject({
    name: z.string(),
    training: z.int(),
    held_out: z.int(),
    questions_sha256: z.string(),
  }),
  'dataset.refused': z.looseObject({ name: z.string(), mistakes: z.int(), message: z.string() }),
  ...ofEach<keyof typeof NEXT_EXPORT_STATUSES, 'export', typeof workStatus>('export', NEXT_EXPORT_STATUSES, workStatus),
  'export.deleted': deletion,
  'webhook.disabled': z.looseObject({ reason: z.string() }),
};
export type ProjectEventType = keyof typeof PROJECT_EVENTS;
export const PROJECT_EVENT_TYPES = Object.keys(PROJECT_EVENTS) as ProjectEventType[];
