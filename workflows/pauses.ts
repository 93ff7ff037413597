import { allHandlersFinished, condition, setCurrentDetails, setHandler } from '@temporalio/workflow';
import { FailureType, type RunFailure } from '../contracts/failures.js';
import { workUpdates } from '../contracts/messages.js';
import { pauseDetails } from './details.js';

type Tell = (status: 'running' | 'paused', failure?: RunFailure) => Promise<void>;

/**
 * Work of a flow or an evaluation that pauses for some failures until somebody resumes it, and is then tried again.
 * Resuming after a spent budget grants it once more.
 */
export class Pauses {
  private failure: RunFailure | undefined;

  /**
   * @param tell writes the status
   * @param pausesFor the failure to pause for; undefined for what ends the work
   */
  constructor(
    private readonly tell: Tell,
    private readonly pausesFor: (error: unknown) => RunFailure | undefined,
    /** How often `flow.budget` was granted: once, and once more with each resume after it was spent. */
    public budgets = 1,
  ) {
    const { resume } = workUpdates;
    setHandler(resume, () => this.resume(), { description: resume.description });
  }

  /** Does the work, and again after each pause. */
  async attempt<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const failure = this.pausesFor(error);
        if (!failure) throw error;
        await this.pause(failure);
      }
    }
  }

  private async pause(failure: RunFailure): Promise<void> {
    this.failure = failure;
    setCurrentDetails(pauseDetails(failure));
    await this.tell('paused', failure);
    await condition(() => this.failure === undefined && allHandlersFinished());
  }

  /** Idempotent: if the work is running, resuming it answers with its status. */
  private async resume(): Promise<'running'> {
    if (!this.failure) return 'running';
    if (this.failure.type === FailureType.BudgetSpent) this.budgets += 1;
    this.failure = undefined;
    await this.tell('running');
    return 'running';
  }
}
