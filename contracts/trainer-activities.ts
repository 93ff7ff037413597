import type { ArtifactRef, PolicyRef } from './artifacts.js';
import type { ExportedFile } from './policy-export.js';
import type { ForkPart } from './identity.js';
import type { RunConfig } from './run-config.js';

/** Wire types of the Python trainer worker: snake_case, one object in, one object out. */
export interface InitPolicyRequest {
  run_id: string;
  model: string;
  seed: number;
  weights: RunConfig['training']['weights'];
  /** Type of the operands of the run's matrix products, in which the model is held from the start. */
  dtype: RunConfig['training']['dtype'];
  /** The identity part of the configuration, by name, each as a sha256 or a plain value (I8). */
  identity: Record<string, string>;
  /** A fork's policy 0 is a copy of this one. */
  start?: { policy: PolicyRef; optimizer: boolean; allow: ForkPart[] };
  /** The reference policy of the KL term, to be refused before anything is sampled; absent for the base model. */
  reference?: PolicyRef;
}

export interface InitPolicyResult {
  policy: PolicyRef;
  uri: string;
  /** Task queue of the worker that holds the run's state now. */
  worker: string;
}

export interface TrainStepRequest {
  run_id: string;
  /** Turns policy step-1 into policy step. */
  step: number;
  parent_sha256: string;
  batch: ArtifactRef;
  model: string;
  identity: Record<string, string>;
  checkpoint: { save: boolean; keep: RunConfig['checkpoint']['keep'] };
}

export interface TrainStepResult {
  policy: PolicyRef;
  uri: string;
  /** memory | checkpoint | replay: how the worker came to hold state n-1; `committed` when the step already was. */
  recovered_from: 'memory' | 'checkpoint' | 'replay' | 'committed';
  /** Task queue of the worker that holds the run's state now: the next step goes there first. */
  worker: string;
  metrics: StepMetrics;
}

export interface StepMetrics {
  loss: number;
  reward_mean: number;
  advantage_mean: number;
  advantage_std: number;
  groups: number;
  groups_without_variance: number;
  groups_skipped: number;
  queries_drawn: number;
  truncated_responses: number;
  empty_responses: number;
  entropy: number;
  kl: number;
  gradient_norm: number;
  clip_fraction: number;
  importance_capped_fraction: number;
  learning_rate: number;
  tokens_sampled: number;
  tokens_in_samples: number;
  tokens_in_tree: number;
  updates: number;
  micro_batches: number;
  micro_batch_tokens: number;
  logprob_mismatch_mean: number;
  logprob_mismatch_max: number;
  peak_memory_bytes: number;
  seconds: number;
}

/** Which committed step a call is about, and what it takes to bring its state back. */
export interface CommittedStepRequest {
  run_id: string;
  step: number;
  sha256: string;
  model: string;
  identity: Record<string, string>;
  keep: RunConfig['checkpoint']['keep'];
}

export interface EnsurePolicyResult {
  uri: string;
  /** Task queue of the worker that holds the run's state now. */
  worker: string;
  /** Whether it was not there, and was made again. */
  rebuilt: boolean;
}

export interface TrainerActivities {
  initPolicy(request: InitPolicyRequest): Promise<InitPolicyResult>;
  trainStep(request: TrainStepRequest): Promise<TrainStepResult>;
  /** Idempotent; recovers the state like trainStep does. Returns the checkpoint directory's URI. */
  saveCheckpoint(request: CommittedStepRequest): Promise<{ uri: string }>;
  /** Idempotent. Fails as NotFound for a policy that was not committed, ReplayDiverged if it comes out as another. */
  ensurePolicy(request: CommittedStepRequest): Promise<EnsurePolicyResult>;
}

export interface ExportPolicyRequest {
  export_id: string;
  /** `<run>@<step>`. */
  policy: string;
  merged: boolean;
}

export interface ExportPolicyResult {
  files: ExportedFile[];
}

/** On a task queue of their own: they need no state of a run, and no gradient step waits for them. */
export interface ExporterActivities {
  /** Idempotent: files that stand are those of the export. Fails as DiskFull if they find no room. */
  exportPolicy(request: ExportPolicyRequest): Promise<ExportPolicyResult>;
}
