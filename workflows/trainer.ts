import { isCancellation } from '@temporalio/workflow';
import { stickyTrainerCalls, trainerCalls } from './calls.js';
import type {
  InitPolicyRequest,
  InitPolicyResult,
  CommittedStepRequest,
  TrainStepRequest,
  TrainStepResult,
} from '../contracts/trainer-activities.js';
import { listedFailure } from './failed-calls.js';
import type { RunSettings } from '../contracts/run-settings.js';

/**
 * The trainer as a run sees it. A call goes first to the worker that holds the run's state; when that worker
 * does not start it in time, or is lost with it, the call goes to any: the state is recovered from what is on disk.
 */
export class StickyTrainer {
  private readonly anywhere;

  constructor(
    private readonly settings: RunSettings,
    /** Task queue of the worker that holds the run's state. */
    private holder: string | undefined,
    private readonly changed: (holder: string | undefined) => void,
  ) {
    this.anywhere = trainerCalls(settings);
  }

  async initPolicy(summary: string, request: InitPolicyRequest): Promise<InitPolicyResult> {
    const made = await this.call((trainer) => trainer.initPolicy.executeWithOptions({ summary }, [request]));
    this.heldBy(made.worker);
    return made;
  }

  async trainStep(summary: string, request: TrainStepRequest): Promise<TrainStepResult> {
    const trained = await this.call((trainer) => trainer.trainStep.executeWithOptions({ summary }, [request]));
    this.heldBy(trained.worker);
    return trained;
  }

  async saveCheckpoint(summary: string, request: CommittedStepRequest): Promise<void> {
    await this.call((trainer) => trainer.saveCheckpoint.executeWithOptions({ summary }, [request]));
  }

  private async call<T>(ask: (trainer: ReturnType<typeof trainerCalls>) => Promise<T>): Promise<T> {
    const { holder } = this;
    if (holder === undefined) return ask(this.anywhere);
    try {
      return await ask(stickyTrainerCalls(this.settings, holder));
    } catch (error) {
      if (isCancellation(error) || listedFailure(error)) throw error;
      this.heldBy(undefined);
      return ask(this.anywhere);
    }
  }

  private heldBy(worker: string | undefined): void {
    this.holder = worker;
    this.changed(worker);
  }
}
