import {
  isGrpcServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type Client,
  type Connection,
  type WorkflowHandle,
  type WorkflowStartOptions,
} from '@temporalio/client';
import { rootCause, type QueryDefinition, type TypedSearchAttributes, type UpdateDefinition } from '@temporalio/common';
import PQueue from 'p-queue';
import { ensureSearchAttributes } from '../../infra/temporal/search-attributes.js';
import { START_TOKEN } from '../../contracts/row-writer.js';
import type { RunSettings } from '../../contracts/run-settings.js';
import { AGENT_TASK_QUEUE } from '../../contracts/task-queues.js';

/** Statuses of an execution that will never do anything again, in words. Any other proves nothing. */
const CLOSED: Record<string, string> = {
  TERMINATED: 'it was terminated',
  CANCELLED: 'it was cancelled',
  FAILED: 'it failed',
  TIMED_OUT: 'it timed out',
  COMPLETED: 'it is completed, but its last status is not in the database',
};
const NOT_FOUND =
  'Temporal does not know it: its execution was deleted, its retention is over, or the database of Temporal was lost';
/** gRPC: NOT_FOUND, it is deleted already; PERMISSION_DENIED and UNIMPLEMENTED, this client cannot delete. */
const LEFT_TO_RETENTION = new Set([5, 7, 12]);
/** For all executions of a run, which may be very many. */
const LISTING_DEADLINE_MS = 60_000;
/** Executions of one workflow that are ended, or deleted, at once. */
const CONCURRENCY = 8;

/** What tells the workflow of a row from any other of the same id. */
export interface RowWorkflow {
  /** Of the row. */
  id: string;
  /** Name of the workflow's type. */
  type: string;
  /** As in the row; null if the row does not know. */
  workflow: string | null;
}

/** How the workflow of a row is started. */
export interface WorkflowStart extends Pick<WorkflowStartOptions, 'staticSummary' | 'staticDetails'> {
  typedSearchAttributes?: TypedSearchAttributes;
  /** But for the settings, which every workflow is started with. */
  input: object;
  /** Whether an earlier workflow of this id is gone, and this one goes on. */
  isNext: boolean;
}

type Execution = Pick<OpenWorkflow, 'workflowId' | 'runId'>;

/** An open execution of a workflow, and the first of its chain if the server says which that is. */
export interface OpenWorkflow {
  workflowId: string;
  runId: string;
  firstExecutionRunId?: string;
}

/** A workflow that will do nothing any more. */
export interface GoneWorkflow {
  /** How it ended, as in `it was terminated (by hand)`. */
  reason: string;
  /** Whether somebody cancelled it, and it ended so. */
  cancelled: boolean;
  /** What is open under its id instead, which this API did not start. */
  stranger?: OpenWorkflow;
}

export function isGone(found: OpenWorkflow | GoneWorkflow): found is GoneWorkflow {
  return 'reason' in found;
}

/**
 * The API's only way to workflows. A workflow has the id of its row. Its type, and its first execution or the token
 * that it was started with, tell whether it is the row's own: its input could be anybody's, and its memo could be
 * copied with it. Every call has a deadline.
 */
export class Workflows {
  private searchAttributesReady = false;

  constructor(
    private readonly client: Client,
    private readonly connection: Connection,
    private readonly settings: RunSettings,
    /** How long a call to Temporal, and through it to the workflow, may take. */
    private readonly deadlineMs = 10_000,
  ) {}

  async cancel(open: OpenWorkflow): Promise<void> {
    await this.call(this.deadlineMs, () => this.handle(open).cancel());
  }

  /**
   * Asks Temporal by the id, which is always up to date (a list of executions is not), about the newest execution.
   * @returns it, if it is open and the row's; else what has become of the row's
   * @throws what Temporal answers otherwise: an outage, or a namespace that is not there, proves nothing
   */
  async find(row: RowWorkflow): Promise<OpenWorkflow | GoneWorkflow> {
    return this.call(this.deadlineMs, () => this.lookUp(row));
  }

  private async lookUp(row: RowWorkflow): Promise<OpenWorkflow | GoneWorkflow> {
    try {
      return await this.describe(row);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return { reason: NOT_FOUND, cancelled: false };
      throw error;
    }
  }

  private async describe(row: RowWorkflow): Promise<OpenWorkflow | GoneWorkflow> {
    const { id } = row;
    const { type, status, runId, memo, raw } = await this.client.workflow.getHandle(id).describe();
    const firstExecutionRunId = raw.workflowExecutionInfo?.firstRunId || undefined;
    const isOwn = isRowsOwn(row, type, firstExecutionRunId, memo?.[START_TOKEN]);
    const open: OpenWorkflow = { workflowId: id, runId, ...(firstExecutionRunId && { firstExecutionRunId }) };
    const end = CLOSED[status.name];
    if (end === undefined) return isOwn ? open : strangerIn(open, type);
    const detail = await this.closedBy(id, runId);
    const words = detail ? `${end} (${detail})` : end;
    if (isOwn) return { reason: words, cancelled: status.name === 'CANCELLED' };
    return {
      reason: `another workflow was started under its id (${type}, run ${runId}), and ${words}`,
      cancelled: false,
    };
  }

  /** Ends what is open under the id of a row and is not the row's. */
  async endStranger(stranger: OpenWorkflow): Promise<void> {
    const reason = `${stranger.workflowId} is revived, and this is not its workflow`;
    await this.call(this.deadlineMs, () => unlessClosed(this.handle(stranger).terminate(reason)));
  }

  /**
   * Ends what a workflow that is gone has left open: executions whose ids begin with its own. If a workflow is open
   * under the id once they are found, somebody else has revived it and they are its own.
   */
  async endChildren(id: string): Promise<void> {
    const query = `WorkflowId STARTS_WITH "${id}/" AND ExecutionStatus = "Running"`;
    await this.call(this.deadlineMs, async () => {
      const children = await this.listed(query);
      if (children.length === 0 || (await this.isOpen(id))) return;
      const queue = new PQueue({ concurrency: CONCURRENCY });
      const end = ({ workflowId, runId }: Execution) =>
        unlessClosed(this.client.workflow.getHandle(workflowId, runId).terminate(`${id} is gone`));
      await Promise.all(children.map((child) => queue.add(() => end(child))));
    });
  }

  private async isOpen(id: string): Promise<boolean> {
    try {
      const { status } = await this.client.workflow.getHandle(id).describe();
      return CLOSED[status.name] === undefined;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  }

  private async listed(query: string): Promise<Execution[]> {
    const found: Execution[] = [];
    for await (const { workflowId, runId } of this.client.workflow.list({ query })) found.push({ workflowId, runId });
    return found;
  }

  /**
   * Deletes the histories of a workflow that is gone and of those that it started, as far as Temporal lists them and
   * lets this client delete; others end with their retention.
   */
  async forget(id: string): Promise<void> {
    const query = `WorkflowId = "${id}" OR WorkflowId STARTS_WITH "${id}/"`;
    const executions = await this.call(LISTING_DEADLINE_MS, () => this.listed(query));
    const queue = new PQueue({ concurrency: CONCURRENCY });
    await Promise.all(executions.map((execution) => queue.add(() => this.deleteExecution(execution))));
  }

  private async deleteExecution(workflowExecution: Execution): Promise<void> {
    const { namespace } = this.client.options;
    try {
      await this.call(this.deadlineMs, () =>
        this.connection.workflowService.deleteWorkflowExecution({ namespace, workflowExecution }),
      );
    } catch (error) {
      if (!isGrpcServiceError(error) || !LEFT_TO_RETENTION.has(error.code)) throw error;
    }
  }

  /** What the last event of a closed execution says: the reason of a termination, the failure. */
  private async closedBy(id: string, runId: string): Promise<string | undefined> {
    try {
      await this.client.workflow.result(id, runId, { followRuns: false });
      return undefined;
    } catch (error) {
      if (!(error instanceof WorkflowFailedError)) throw error;
      return rootCause(error.cause);
    }
  }

  /**
   * Starts the workflow of a row. Starting it twice is harmless.
   * @param deadlineMs how long to wait for the Temporal server
   * @returns whether it is open: false if it has already ended, or another one is open under its id
   */
  async start(
    row: RowWorkflow,
    { input, isNext, ...shown }: WorkflowStart,
    deadlineMs: number = this.deadlineMs,
  ): Promise<boolean> {
    return this.call(deadlineMs, async () => {
      await this.ensureSearchAttributes();
      try {
        await this.client.workflow.start(row.type, {
          ...shown,
          workflowId: row.id,
          taskQueue: AGENT_TASK_QUEUE,
          args: [{ ...input, settings: this.settings }],
          ...(row.workflow !== null && { memo: { [START_TOKEN]: row.workflow } }),
          workflowIdConflictPolicy: 'FAIL',
          workflowIdReusePolicy: isNext ? 'ALLOW_DUPLICATE' : 'REJECT_DUPLICATE',
        });
        return true;
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        return !isGone(await this.lookUp(row));
      }
    });
  }

  /**
   * Tells a workflow something, and waits for its answer.
   * @throws WorkflowNotFoundError, WorkflowUpdateFailedError
   */
  async update<Answer, Args extends unknown[]>(
    open: OpenWorkflow,
    message: UpdateDefinition<Answer, Args>,
    ...args: Args
  ): Promise<Answer> {
    return this.call(this.deadlineMs, () =>
      this.handle(open).executeUpdate<Answer, [unknown]>(message.name, { args: args as unknown[] as [unknown] }),
    );
  }

  /** Asks a workflow something. @throws WorkflowNotFoundError */
  async query<Answer>(
    { workflowId, runId }: Partial<OpenWorkflow> & Pick<OpenWorkflow, 'workflowId'>,
    message: QueryDefinition<Answer>,
  ): Promise<Answer> {
    const handle = this.client.workflow.getHandle(workflowId, runId);
    return this.call(this.deadlineMs, () => handle.query<Answer, []>(message.name));
  }

  /** @throws if the Temporal server does not answer within `deadlineMs` */
  async ping(deadlineMs: number): Promise<void> {
    await this.call(deadlineMs, () => this.connection.workflowService.getSystemInfo({}));
  }

  /** The handle of its chain, if that is known: then a workflow that takes its id meanwhile is not reached. */
  private handle({ workflowId, firstExecutionRunId }: OpenWorkflow): WorkflowHandle {
    return this.client.workflow.getHandle(workflowId, undefined, firstExecutionRunId ? { firstExecutionRunId } : {});
  }

  private call<T>(deadlineMs: number, work: () => Promise<T>): Promise<T> {
    return this.connection.withDeadline(Date.now() + deadlineMs, work);
  }

  /** If they are missing, the server refuses to start a workflow that sets them. */
  private async ensureSearchAttributes(): Promise<void> {
    if (this.searchAttributesReady) return;
    await ensureSearchAttributes(this.connection, this.client.options.namespace);
    this.searchAttributesReady = true;
  }
}

/** A row of an older version knows only its workflow's type, and an older server does not tell the first execution. */
function isRowsOwn(row: RowWorkflow, type: string, firstExecution: string | undefined, token: unknown): boolean {
  if (type !== row.type) return false;
  return row.workflow === null || firstExecution === undefined || [firstExecution, token].includes(row.workflow);
}

function strangerIn(open: OpenWorkflow, type: string): GoneWorkflow {
  const reason = `another workflow is open under its id (${type}, run ${open.runId}), which this API did not start and which reviving ends`;
  return { reason, cancelled: false, stranger: open };
}

/** Waits for the end of a workflow; it may have ended by itself meanwhile. */
async function unlessClosed(end: Promise<unknown>): Promise<void> {
  try {
    await end;
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
