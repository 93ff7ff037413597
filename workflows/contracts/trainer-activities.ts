import type { ArtifactRef, PolicyRef } from './artifacts.js';

/** Wire types of the Python trainer worker: snake_case, one object in, one object out. */
export interface InitPolicyRequest {
  run_id: string;
  model: string;
  seed: number;
  lora: { rank: number; alpha: number };
  /** The identity part of the configuration, by name, each as a sha256 or a plain value (I8). */
  identity: Record<string, string>;
}

export interface TrainStepRequest {
  run_id: string;
  /** Turns policy step-1 into policy step. */
  step: number;
  parent_sha256: string;
  batch: ArtifactRef;
  model: string;
  identity: Record<string, string>;
  checkpoint: { save: boolean; keep: number };
}

export interface TrainStepResult {
  policy: PolicyRef;
  uri: string;
  /** memory | checkpoint | replay: how the worker came to hold state n-1; `committed` when the step already was. */
  recovered_from: 'memory' | 'checkpoint' | 'replay' | 'committed';
  metrics: StepMetrics;
}

export interface StepMetrics {
  loss: number;
  reward_mean: number;
  advantage_mean: number;
  advantage_std: number;
  groups: number;
  groups_without_variance: number;
  entropy: number;
  kl: number;
  gradient_norm: number;
  clip_fraction: number;
  learning_rate: number;
  tokens_sampled: number;
  tokens_in_samples: number;
  tokens_in_tree: number;
  seconds: number;
}

/** Asks for the trainer's state after a committed step as a checkpoint, where none was written (cancel, stop). */
export interface SaveCheckpointRequest {
  run_id: string;
  step: number;
  sha256: string;
  model: string;
  identity: Record<string, string>;
  keep: number;
}

export interface TrainerActivities {
  initPolicy(request: InitPolicyRequest): Promise<{ policy: PolicyRef; uri: string }>;
  trainStep(request: TrainStepRequest): Promise<TrainStepResult>;
  /** Idempotent; recovers the state like trainStep does. Returns the checkpoint directory's URI. */
  saveCheckpoint(request: SaveCheckpointRequest): Promise<{ uri: string }>;
}
