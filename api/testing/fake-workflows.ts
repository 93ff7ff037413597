import { WorkflowNotFoundError } from '@temporalio/client';
import type { QueryDefinition, UpdateDefinition } from '@temporalio/common';
import type { PauseOptions } from '../../contracts/messages.js';
import type { GoneWorkflow, OpenWorkflow, RowWorkflow, Workflows } from '../temporal/workflows.js';

/** What a workflow answers to an update, by its name; any other is answered with nothing. */
const ANSWERS: Record<string, (argument: unknown) => unknown> = {
  pause: (options) => ((options as PauseOptions).now ? 'paused' : 'pausing'),
  resume: () => 'running',
  stopAfterStep: () => 'running',
  decide: () => 'running',
};

/** Takes the place of Temporal in tests of something else: remembers what was asked and answers at once. */
export class FakeWorkflows implements Pick<Workflows, keyof Workflows> {
  /** Name and id of each call, and what else was said. */
  readonly calls: unknown[][] = [];
  /** Thrown by every call while it is set. */
  failure?: Error;
  /** How the workflows have ended; they are open if it is not set. */
  goneWorkflow?: GoneWorkflow;
  /** What a workflow does when it is resumed. */
  resumed: () => Promise<unknown> = () => Promise.resolve();

  async start({ id }: RowWorkflow): Promise<boolean> {
    this.record('start', id);
    return true;
  }

  async update<Answer, Args extends unknown[]>(
    { workflowId }: OpenWorkflow,
    { name }: UpdateDefinition<Answer, Args>,
    ...args: Args
  ): Promise<Answer> {
    this.record(name, workflowId, ...args);
    if (name === 'resume') await this.resumed();
    return ANSWERS[name]?.(args[0]) as Answer;
  }

  async query<Answer>(
    { workflowId }: Pick<OpenWorkflow, 'workflowId'>,
    { name }: QueryDefinition<Answer>,
  ): Promise<Answer> {
    this.record(name, workflowId);
    throw new WorkflowNotFoundError('There is no workflow to ask.', workflowId, undefined);
  }

  async cancel({ workflowId }: OpenWorkflow): Promise<void> {
    this.record('cancel', workflowId);
  }

  async ping(): Promise<void> {
    this.record('ping');
  }

  async find({ id }: RowWorkflow): Promise<OpenWorkflow | GoneWorkflow> {
    if (this.failure instanceof WorkflowNotFoundError) return { reason: this.failure.message, cancelled: false };
    if (this.failure) throw this.failure;
    return this.goneWorkflow ?? { workflowId: id, runId: 'any' };
  }

  async endStranger({ workflowId }: OpenWorkflow): Promise<void> {
    this.record('endStranger', workflowId);
  }

  async endChildren(id: string): Promise<void> {
    this.record('endChildren', id);
  }

  async forget(id: string): Promise<void> {
    this.record('forget', id);
  }

  private record(...call: unknown[]): void {
    if (this.failure) throw this.failure;
    this.calls.push(call);
  }
}
