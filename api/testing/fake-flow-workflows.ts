import type { FlowWorkflows } from '../temporal/flow-workflows.js';

/**
 * In the place of Temporal where Temporal is not the point, for flows and for evaluations: remembers what was asked and
 * answers at once.
 */
export class FakeFlowWorkflows implements Pick<FlowWorkflows, keyof FlowWorkflows> {
  readonly calls: unknown[][] = [];
  /** Thrown by every call while it is set. */
  failure?: Error;
  /** What a workflow does that is resumed. */
  resumed: () => Promise<unknown> = () => Promise.resolve();

  async start({ id }: { id: string }): Promise<boolean> {
    this.record('start', id);
    return true;
  }

  async cancel(id: string): Promise<void> {
    this.record('cancel', id);
  }

  async resume(id: string): Promise<void> {
    this.record('resume', id);
    await this.resumed();
  }

  private record(...call: unknown[]): void {
    if (this.failure) throw this.failure;
    this.calls.push(call);
  }
}
