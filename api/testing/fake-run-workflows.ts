import type { TrainingRun } from '../../infra/database/entities/index.js';
import type { Decision, RunStatus } from '../../workflows/contracts/agent-activities.js';
import type { ChangeablePart } from '../../workflows/contracts/identity.js';
import type { RunWorkflows } from '../temporal/run-workflows.js';

/** In the place of Temporal where Temporal is not the point: remembers what was asked and answers at once. */
export class FakeRunWorkflows implements Pick<RunWorkflows, keyof RunWorkflows> {
  readonly calls: unknown[][] = [];
  /** Thrown by every call while it is set. */
  failure?: Error;

  async start(run: TrainingRun): Promise<boolean> {
    this.record('start', run.id);
    return true;
  }

  async pause(runId: string, now: boolean): Promise<RunStatus> {
    this.record('pause', runId, now);
    return now ? 'paused' : 'pausing';
  }

  async resume(runId: string, allow: ChangeablePart[]): Promise<RunStatus> {
    this.record('resume', runId, allow);
    return 'running';
  }

  async stopAfterStep(runId: string): Promise<RunStatus> {
    this.record('stopAfterStep', runId);
    return 'running';
  }

  async setLearningRate(runId: string, learningRate: number): Promise<void> {
    this.record('setLearningRate', runId, learningRate);
  }

  async extend(runId: string, steps: number): Promise<void> {
    this.record('extend', runId, steps);
  }

  async decide(runId: string, decision: Decision): Promise<RunStatus> {
    this.record('decide', runId, decision);
    return 'running';
  }

  async cancel(runId: string): Promise<void> {
    this.record('cancel', runId);
  }

  async progress(runId: string): Promise<never> {
    this.record('progress', runId);
    throw new Error('There is no workflow to ask.');
  }

  async ping(): Promise<void> {
    this.record('ping');
  }

  private record(...call: unknown[]): void {
    if (this.failure) throw this.failure;
    this.calls.push(call);
  }
}
