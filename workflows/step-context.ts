import type { runCalls } from './calls.js';
import type { BatchHeader, FrozenBatch } from '../contracts/agent-activities.js';
import type { PolicyRef } from '../contracts/artifacts.js';
import type { FlowConfig } from '../contracts/flow-config.js';
import type { TrainingRunInput, TrainingRunState } from '../contracts/training-run.js';
import type { RolloutMetrics } from './rollout-metrics.js';
import type { StickyTrainer } from './trainer.js';

/** What a training step sees of its run, as it is when it is asked: messages change a run while its step is taken. */
export interface StepContext {
  readonly input: Readonly<Pick<TrainingRunInput, 'runId' | 'config' | 'settings'>>;
  readonly state: Readonly<
    Pick<TrainingRunState, 'identity' | 'allowed' | 'reference' | 'decision' | 'learningRate' | 'steps'>
  >;
  readonly activities: ReturnType<typeof runCalls>;
  readonly trainer: StickyTrainer;
  /** The policy that the step begins with. */
  readonly policy: PolicyRef;
  /** The configuration of its flows. */
  readonly flow: FlowConfig;
  /** What its calls must agree in (RunAgreement). */
  readonly agreed: Record<string, string>;
  /** Says what the run is doing now. */
  enter(phase: string): void;
}

/** What collecting the samples of a step came to. */
export interface Collected {
  metrics: Partial<RolloutMetrics>;
  /** Queries drawn. */
  draws: number;
  seconds: number;
}

/** The samples of one step, from wherever its training takes them. */
export interface StepSamples {
  /** @throws NothingScored if outages left nothing to learn from; another call collects everything anew */
  collect(): Promise<Collected>;
  /** What was collected becomes the batch, with the learning rate that is in force. */
  freeze(header: BatchHeader, learningRate: number): Promise<FrozenBatch>;
  /** Stops what is being collected before its next activity, or lets it go on. */
  hold(held: boolean): Promise<void>;
}
