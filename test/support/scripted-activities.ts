import { createHash } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import type {
  AgentActivities,
  FreezeBatchInput,
  FreezeRecordedBatchInput,
  PlanTurnInput,
  RecordAllowanceInput,
  RecordRolloutInput,
  SetRunStatusInput,
} from '../../contracts/agent-activities.js';
import type { SetFlowStatusInput } from '../../contracts/submitted-flow.js';
import { placeOf, type Query } from '../../contracts/flow.js';
import { NEXT_STATUSES } from '../../contracts/training-run.js';
import { TRAINER_TASK_QUEUE } from '../../contracts/task-queues.js';
import type {
  ExporterActivities,
  InitPolicyRequest,
  StepMetrics,
  TrainerActivities,
  TrainStepRequest,
} from '../../contracts/trainer-activities.js';

/** Activities of a test: a world in which every plan is a sum and every second rollout is right. What was called is kept. */
export interface ScriptedActivities {
  agent: AgentActivities;
  trainer: TrainerActivities;
  exporter: ExporterActivities;
  calls: {
    plans: PlanTurnInput[];
    rollouts: RecordRolloutInput[];
    batches: FreezeBatchInput[];
    recordedBatches: FreezeRecordedBatchInput[];
    inits: InitPolicyRequest[];
    steps: TrainStepRequest[];
    statuses: SetRunStatusInput[];
    flowStatuses: SetFlowStatusInput[];
    allowances: RecordAllowanceInput[];
    checkpoints: number[];
  };
}

export function scriptedActivities(
  overrides: {
    agent?: Partial<AgentActivities>;
    trainer?: Partial<TrainerActivities>;
    exporter?: Partial<ExporterActivities>;
  } = {},
): ScriptedActivities {
  const calls: ScriptedActivities['calls'] = {
    plans: [],
    rollouts: [],
    batches: [],
    recordedBatches: [],
    inits: [],
    steps: [],
    statuses: [],
    flowStatuses: [],
    allowances: [],
    checkpoints: [],
  };
  const agent: AgentActivities = {
    analyseQuery: () =>
      Promise.resolve({ analysis: { summary: 'a sum', skills: '', tools: '', considerations: '' }, seconds: 0 }),
    planTurn: (input) => {
      calls.plans.push(input);
      return Promise.resolve({
        text: 'Calculator: 1 + 1',
        tool: 'calculator',
        subGoal: '1 + 1',
        finishReason: 'stop',
        sampledTokens: 6,
        seconds: 0.01,
      });
    },
    executeTurn: ({ subGoal }) => Promise.resolve({ command: subGoal, result: '2', seconds: 0 }),
    verifyTurn: () => Promise.resolve({ verdict: 'STOP', critique: 'a number', seconds: 0 }),
    generateAnswer: () => Promise.resolve({ answer: '2', seconds: 0 }),
    scoreAnswer: ({ flow }) => Promise.resolve({ reward: placeOf(flow).rollout % 2, reason: 'scripted' }),
    drawQueries: ({ step, count }) => Promise.resolve(Array.from({ length: count }, (_, i) => query(`${step}-${i}`))),
    evaluationQueries: ({ offset, count }) =>
      Promise.resolve(Array.from({ length: count }, (_, i) => query(`eval-${offset + i}`))),
    recordRollout: (input) => {
      calls.rollouts.push(input);
      return Promise.resolve();
    },
    freezeBatch: (input) => {
      calls.batches.push(input);
      const samples = input.groups.reduce((sum, group) => sum + group.rollouts.length, 0);
      return Promise.resolve({
        uri: `file:///batch/${input.step}`,
        sha256: sha(input.step),
        step: input.step,
        samples,
        bytes: 1,
      });
    },
    freezeRecordedBatch: (input) => {
      calls.recordedBatches.push(input);
      const { step } = input;
      return Promise.resolve({ uri: `file:///batch/${step}`, sha256: sha(step), step, samples: 2, bytes: 1 });
    },
    resolvePolicy: ({ name }) => Promise.resolve({ name, sha256: sha(name.length) }),
    resolveIdentity: () => Promise.resolve({ dataset: 'scripted' }),
    setRunStatus: (input) => {
      const { status: before } = calls.statuses.findLast(({ runId }) => runId === input.runId) ?? { status: 'queued' };
      calls.statuses.push(input);
      if (input.status === before || NEXT_STATUSES[before].includes(input.status)) return Promise.resolve();
      return Promise.reject(ApplicationFailure.nonRetryable(`a ${before} run became ${input.status}`));
    },
    recordAllowance: (input) => {
      calls.allowances.push(input);
      return Promise.resolve();
    },
    recordStep: () => Promise.resolve(),
    recordEvaluation: () => Promise.resolve(),
    setEvaluationStatus: () => Promise.resolve(),
    reportEvaluation: () => Promise.resolve({ cells: 0 }),
    requireQueue: () => Promise.resolve(),
    checkUpload: () => Promise.resolve(),
    setExportStatus: () => Promise.resolve(),
    attemptDelivery: () => Promise.resolve({}),
    setFlowStatus: (input) => {
      calls.flowStatuses.push(input);
      return Promise.resolve();
    },
    ...overrides.agent,
  };
  const trainer: TrainerActivities = {
    initPolicy: (request) => {
      calls.inits.push(request);
      const policy = { name: `${request.run_id}@0`, sha256: sha(0) };
      return Promise.resolve({ policy, uri: 'file:///policy/0', worker: TRAINER_TASK_QUEUE });
    },
    trainStep: (request) => {
      calls.steps.push(request);
      const policy = { name: `${request.run_id}@${request.step}`, sha256: sha(request.step) };
      return Promise.resolve({
        policy,
        uri: `file:///policy/${request.step}`,
        recovered_from: 'memory',
        worker: TRAINER_TASK_QUEUE,
        metrics: METRICS,
      });
    },
    ensurePolicy: ({ run_id: runId, step }) =>
      Promise.resolve({ uri: `file:///policies/${runId}/${step}`, worker: TRAINER_TASK_QUEUE, rebuilt: false }),
    saveCheckpoint: ({ step }) => {
      calls.checkpoints.push(step);
      return Promise.resolve({ uri: `file:///checkpoint/${step}` });
    },
    ...overrides.trainer,
  };
  const exporter: ExporterActivities = {
    exportPolicy: () => Promise.resolve({ files: [{ name: 'manifest.json', bytes: 2, sha256: sha(0) }] }),
    ...overrides.exporter,
  };
  return { agent, trainer, exporter, calls };
}

export function query(id: string): Query {
  return { id, dataset: { name: 'atlas', seed: 7 }, family: 'arithmetic', question: `What is 1 plus 1? (${id})` };
}

function sha(step: number): string {
  return createHash('sha256').update(String(step)).digest('hex');
}

const METRICS: StepMetrics = {
  loss: 0,
  reward_mean: 0.5,
  advantage_mean: 0,
  advantage_std: 1,
  groups: 1,
  groups_without_variance: 0,
  groups_skipped: 0,
  queries_drawn: 1,
  truncated_responses: 0,
  empty_responses: 0,
  entropy: 1,
  kl: 0,
  gradient_norm: 1,
  clip_fraction: 0,
  importance_capped_fraction: 0,
  learning_rate: 1e-4,
  tokens_sampled: 12,
  tokens_in_samples: 40,
  tokens_in_tree: 20,
  updates: 1,
  micro_batches: 1,
  micro_batch_tokens: 1536,
  logprob_mismatch_mean: 0,
  logprob_mismatch_max: 0,
  peak_memory_bytes: 1,
  seconds: 0.1,
};
