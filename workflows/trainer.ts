import { isCancellation } from '@temporalio/workflow';
import { stickyTrainerCalls, trainerCalls } from './calls.js';
import type {
  InitPolicyRequest,
  InitPolicyResult,
  SaveCheckpointRequest,
  TrainStepRequest,
  TrainStepResult,
} from './contracts/trainer-activities.js';
import type { RunSettings, TrainingRunState } from './contracts/training-run.js';
import { listedFailure } from './failed-calls.js';

/**
 * The trainer as a run sees it. A call goes first to the worker that holds the run's state (design 6); when that worker
 * does not start it in time, or is lost with it, the call goes to any: the state is recovered from what is on disk.
 */
export class StickyTrainer {
  private readonly anywhere;

  constructor(
    private readonly settings: RunSettings,
    private readonly state: TrainingRunState,
  ) {
    this.anywhere = trainerCalls(settings);
  }

  async initPolicy(summary: string, request: InitPolicyRequest): Promise<InitPolicyResult> {
    const made = await this.call((trainer) => trainer.initPolicy.executeWithOptions({ summary }, [request]));
    this.state.trainerQueue = made.worker;
    return made;
  }

  async trainStep(summary: string, request: TrainStepRequest): Promise<TrainStepResult> {
    const trained = await this.call((trainer) => trainer.trainStep.executeWithOptions({ summary }, [request]));
    this.state.trainerQueue = trained.worker;
    return trained;
  }

  async saveCheckpoint(summary: string, request: SaveCheckpointRequest): Promise<void> {
    await this.call((trainer) => trainer.saveCheckpoint.executeWithOptions({ summary }, [request]));
  }

  private async call<T>(ask: (trainer: ReturnType<typeof trainerCalls>) => Promise<T>): Promise<T> {
    const holder = this.state.trainerQueue;
    if (holder === undefined) return ask(this.anywhere);
    try {
      return await ask(stickyTrainerCalls(this.settings, holder));
    } catch (error) {
      if (isCancellation(error) || listedFailure(error)) throw error;
      this.state.trainerQueue = undefined;
      return ask(this.anywhere);
    }
  }
}
