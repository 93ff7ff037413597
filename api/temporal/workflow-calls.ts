import { WorkflowExecutionAlreadyStartedError, type Client, type Connection } from '@temporalio/client';
import { ensureSearchAttributes } from '../../infra/temporal/search-attributes.js';
import type { RunSettings } from '../../workflows/contracts/training-run.js';

type StartOptions = NonNullable<Parameters<Client['workflow']['start']>[1]>;

/** Calls to Temporal about workflows whose ids are the ids of rows. Each has a deadline. */
export class WorkflowCalls {
  private searchAttributesReady = false;

  constructor(
    protected readonly client: Client,
    protected readonly connection: Connection,
    protected readonly settings: RunSettings,
    /** How long a call to Temporal, and through it to the workflow, may take. */
    protected readonly deadlineMs = 10_000,
  ) {}

  async cancel(id: string): Promise<void> {
    await this.call(this.deadlineMs, () => this.client.workflow.getHandle(id).cancel());
  }

  /**
   * Starts a workflow that is not yet there. Starting it twice is harmless.
   * @param deadlineMs how long to wait for the Temporal server
   * @returns false where a workflow of this id has already ended
   */
  protected async startOnce(
    workflow: string,
    options: Omit<StartOptions, 'workflowIdConflictPolicy' | 'workflowIdReusePolicy'>,
    deadlineMs: number,
  ): Promise<boolean> {
    return this.call(deadlineMs, async () => {
      await this.ensureSearchAttributes();
      try {
        await this.client.workflow.start(workflow, {
          ...options,
          workflowIdConflictPolicy: 'USE_EXISTING',
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
        });
        return true;
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
        throw error;
      }
    });
  }

  /** @throws WorkflowNotFoundError, WorkflowUpdateFailedError */
  protected update<T>(id: string, name: string, ...args: [] | [unknown]): Promise<T> {
    const handle = this.client.workflow.getHandle(id);
    return this.call(this.deadlineMs, () =>
      args.length === 0 ? handle.executeUpdate<T, []>(name) : handle.executeUpdate<T, [unknown]>(name, { args }),
    );
  }

  protected call<T>(deadlineMs: number, work: () => Promise<T>): Promise<T> {
    return this.connection.withDeadline(Date.now() + deadlineMs, work);
  }

  /** Where they are missing the server refuses to start a workflow that sets them. */
  private async ensureSearchAttributes(): Promise<void> {
    if (this.searchAttributesReady) return;
    await ensureSearchAttributes(this.connection, this.client.options.namespace);
    this.searchAttributesReady = true;
  }
}
