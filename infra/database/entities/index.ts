import { AgentFlow } from './agent-flow.entity.js';
import { ApiKey } from './api-key.entity.js';
import { Batch } from './batch.entity.js';
import { BenchmarkEvaluation } from './benchmark-evaluation.entity.js';
import { CachedReply } from './cached-reply.entity.js';
import { Checkpoint } from './checkpoint.entity.js';
import { Evaluation } from './evaluation.entity.js';
import { IdempotencyKey } from './idempotency-key.entity.js';
import { Policy } from './policy.entity.js';
import { Rollout } from './rollout.entity.js';
import { RunEvent } from './run-event.entity.js';
import { RunSpending } from './run-spending.entity.js';
import { TrainingRun } from './training-run.entity.js';
import { TrainingStep } from './training-step.entity.js';
import { Turn } from './turn.entity.js';

export {
  AgentFlow,
  ApiKey,
  Batch,
  BenchmarkEvaluation,
  CachedReply,
  Checkpoint,
  Evaluation,
  IdempotencyKey,
  Policy,
  Rollout,
  RunEvent,
  RunSpending,
  TrainingRun,
  TrainingStep,
  Turn,
};

/** Every table. The rows name each other by id without foreign keys: several processes write them, each once. */
export const ENTITIES = [
  AgentFlow,
  ApiKey,
  Batch,
  BenchmarkEvaluation,
  CachedReply,
  Checkpoint,
  Evaluation,
  IdempotencyKey,
  Policy,
  Rollout,
  RunEvent,
  RunSpending,
  TrainingRun,
  TrainingStep,
  Turn,
];
