import { randomBytes } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { WorkflowNotFoundError } from '@temporalio/client';
import { TypedSearchAttributes, type QueryDefinition, type UpdateDefinition } from '@temporalio/common';
import { WORKFLOW_LOST, type RunFailure } from '../../contracts/failures.js';
import { searchAttributes } from '../../contracts/search-attributes.js';
import type { Submission } from '../../infra/database/entities/submission.entity.js';
import { isEnded, type RowEnding } from '../../infra/database/submission-rows.js';
import type { Checked } from '../../infra/config/submitted/config-issues.js';
import {
  badRequest,
  conflict,
  notFound,
  refusedFor,
  unknownCursor,
  type ApiErrorOptions,
  type ApiIssue,
} from '../common/api-error.js';
import { readIdempotency, type Idempotency } from './idempotency.js';
import { toList, type IdPageQuery, type List } from '../common/list.dto.js';
import {
  isGone,
  type GoneWorkflow,
  type OpenWorkflow,
  type RowWorkflow,
  type Workflows,
  type WorkflowStart,
} from '../temporal/workflows.js';
import type { RemovalsService } from './removal/removals.service.js';
import { notEnded, type Draft, type Filter, type SubmissionsRepository } from './submissions.repository.js';

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
/** A client that submits waits no longer for Temporal: the row is recorded, and the reconciler starts its workflow. */
const START_DEADLINE_MS = 3_000;

/** What a kind of submission is called. */
export interface Names {
  /** As in `training run`. */
  noun: string;
  /** Type of its workflow. */
  workflow: string;
  /** What is submitted, as in `a run configuration`. */
  body: string;
  /** Code of the error 400 if the body is refused, and its sentence before the list of what is wrong. */
  invalid: string;
  refused: string;
  /** What its ids begin with, as in `run-…`. */
  prefix: string;
  /** Code of the error 404, and of 409 if what was asked has ended. */
  notFound: string;
  ended: string;
  /** The command that lets it go on after its workflow was gone. */
  revive: (id: string) => string;
  /** What is not lost if its workflow is gone. */
  kept: (row: never) => string;
}

/** What became of the start of a queued row's workflow: it is open, must wait, or has ended or lost its id to another. */
export type Start = 'open' | 'waiting' | 'gone';

/** How a row ends whose workflow is gone. */
type LostEnding = RowEnding & { failure: RunFailure };

/** Where a row belongs. */
export type Place = Pick<Submission, 'id' | 'project'>;

/**
 * A kind of submission: rows with a workflow each, which is started when the row is there and asked while it is open.
 * If the workflow is gone, the row is ended, or goes on with another.
 *
 * A kind says what it is called, how a body is read, what row is made of it, how its workflow is started and how a row
 * is shown. Its repository says what else is in its transactions.
 */
export abstract class Submissions<Row extends Submission = Submission, Dto = unknown, Submitted = unknown> {
  private readonly logger = new Logger(Submissions.name);

  constructor(
    readonly names: Names,
    readonly repository: SubmissionsRepository<Row>,
    readonly workflows: Workflows,
    private readonly removals: RemovalsService,
  ) {}

  protected abstract check(body: unknown, project: string): Checked<Submitted> | Promise<Checked<Submitted>>;

  /**
   * What is to be written, once everything that it names is found.
   * @throws ApiError 400 if something is not there
   */
  protected abstract draft(place: Place, submitted: Submitted): Promise<Draft<Row>>;

  protected abstract toDto(row: Row): Dto | Promise<Dto>;

  /**
   * Records what was submitted as queued and starts its workflow. If Temporal does not answer, it stays queued and the
   * reconciler starts it later.
   * @param sent what a repeated request must repeat, if that is not the body
   * @returns it, and whether this call created it
   * @throws ApiError 400 that lists everything that is wrong
   */
  async create(
    project: string,
    body: unknown,
    idempotencyKey?: string,
    sent: unknown = body,
  ): Promise<{ dto: Dto; created: boolean }> {
    if (body === undefined) throw badRequest('body_missing', `The body must be ${this.names.body}, as JSON or YAML.`);
    return this.submit(project, body, readIdempotency(idempotencyKey, sent));
  }

  /**
   * The same of a body that was made from a request in another form.
   * @param idempotency of the request as it was sent
   */
  async submit(project: string, body: unknown, idempotency?: Idempotency): Promise<{ dto: Dto; created: boolean }> {
    const checked = await this.check(body, project);
    if ('issues' in checked) throw this.refused(checked.issues, checked.more);
    const id = newId(this.names.prefix);
    const draft = await this.draft({ id, project }, checked.config);
    const earlier = await this.repository.create(draft, idempotency);
    const row = await this.load(project, earlier ?? id);
    if (earlier === undefined) await this.tryStart(row);
    return { dto: await this.toDto(row), created: earlier === undefined };
  }

  async get(project: string, id: string): Promise<Dto> {
    return this.toDto(await this.load(project, id));
  }

  /** Newest first. */
  async list(project: string, { after, limit }: IdPageQuery, filter?: Filter<Row>): Promise<List<Dto>> {
    const last = after === undefined ? undefined : await this.repository.find(project, after);
    if (last === null) throw unknownCursor(`there is no ${this.names.noun} "${after}".`);
    const rows = await this.repository.list(project, limit, last, filter);
    const shown = await Promise.all(rows.map(async (row) => ({ id: row.id, dto: await this.toDto(row) })));
    return toList(
      shown,
      limit,
      ({ id }) => id,
      ({ dto }) => dto,
    );
  }

  /** @throws ApiError 404, also if it is another project's */
  async load(project: string, id: string): Promise<Row> {
    const row = await this.repository.find(project, id);
    if (!row) throw this.unknown(id);
    return row;
  }

  /** For what is read beside its row. @throws ApiError 404 as `load` does */
  async requireKnown(project: string, id: string): Promise<void> {
    if (!(await this.repository.isKnown(project, id))) throw this.unknown(id);
  }

  /** How the workflow of a queued row is started. */
  protected abstract startOf(row: Row): WorkflowStart | Promise<WorkflowStart>;

  /** The row's own workflow, or what has become of it. */
  async find(row: Row): Promise<OpenWorkflow | GoneWorkflow> {
    return this.workflows.find(this.workflowOf(row));
  }

  private workflowOf({ id, workflow }: Row): RowWorkflow {
    return { id, workflow, type: this.names.workflow };
  }

  /** Whether a queued row must wait before its workflow is started. */
  protected async mustWait(_row: Row): Promise<boolean> {
    return false;
  }

  /** Starts the workflow of a queued row, unless it must wait. */
  async start(row: Row, deadlineMs?: number): Promise<Start> {
    if (await this.mustWait(row)) return 'waiting';
    const { typedSearchAttributes = new TypedSearchAttributes(), ...start } = await this.startOf(row);
    const attributes = typedSearchAttributes.updateCopy([{ key: searchAttributes.project, value: row.project }]);
    const shown = { ...start, typedSearchAttributes: attributes };
    return (await this.workflows.start(this.workflowOf(row), shown, deadlineMs)) ? 'open' : 'gone';
  }

  /**
   * Starts the workflow of a queued row; if Temporal does not answer, the reconciler does it later.
   * @returns undefined if it did not answer
   */
  async tryStart(row: Row): Promise<Start | undefined> {
    try {
      return await this.start(row, START_DEADLINE_MS);
    } catch (error) {
      this.logger.warn(`${row.id} stays queued until Temporal answers: ${(error as Error).message}`);
      return undefined;
    }
  }

  /**
   * Tells something to the workflow of a row that has not ended. The workflow acts and writes its status.
   * @param done what is asked, as in `paused`
   * @returns the row afterwards
   * @throws ApiError 409 if it has ended, or its workflow is gone
   */
  async tell<Answer, Args extends unknown[]>(
    project: string,
    id: string,
    done: string,
    message: UpdateDefinition<Answer, Args>,
    ...args: Args
  ): Promise<Dto> {
    const row = await this.loadOpen(project, id, done);
    // If the workflow has not been started, nobody answers. If it has, starting it again is harmless.
    if (row.status === 'queued' && (await this.start(row)) === 'waiting') throw this.waits(row, done);
    const found = await this.find(row);
    if (isGone(found)) throw this.hasEnded(await this.load(project, id), done, found);
    const answer = await this.unlessEnded(row, done, () => this.workflows.update(found, message, ...args));
    return this.told(await this.load(project, id), answer);
  }

  /** How a row is shown whose workflow has just answered. */
  protected told(row: Row, _answer: unknown): Dto | Promise<Dto> {
    return this.toDto(row);
  }

  private async loadOpen(project: string, id: string, done: string): Promise<Row> {
    const row = await this.load(project, id);
    if (isEnded(row)) throw this.hasEnded(row, done);
    return row;
  }

  private async unlessEnded<T>(row: Row, done: string, verb: () => Promise<T>): Promise<T> {
    try {
      return await verb();
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) throw this.hasEnded(await this.load(row.project, row.id), done);
      throw error;
    }
  }

  /**
   * Asks its workflow a question that changes nothing, also if the workflow has ended.
   * @throws ApiError 409 if another has taken its id
   */
  protected async ask<Answer>(row: Row, question: QueryDefinition<Answer>): Promise<Answer> {
    const found = await this.find(row);
    if (!isGone(found)) return this.workflows.query(found, question);
    if (found.stranger) throw this.hasEnded(row, 'asked', found);
    return this.workflows.query({ workflowId: row.id }, question);
  }

  /** Asks the workflow to end; if it is gone, or was never started, ends the row. */
  async cancel(project: string, id: string): Promise<Dto> {
    const row = await this.loadOpen(project, id, 'cancelled');
    const found = await this.find(row);
    if (!isGone(found)) await this.unlessEnded(row, 'cancelled', () => this.workflows.cancel(found));
    else if (row.status !== 'queued') await this.endAsCancelled(project, id, found);
    // If it was started just now, there is a workflow to ask.
    else if (!(await this.repository.cancelQueued(row))) return this.cancel(project, id);
    return this.get(project, id);
  }

  /** The row was read before Temporal was asked: its workflow may have ended it since. */
  private async endAsCancelled(project: string, id: string, gone: GoneWorkflow): Promise<void> {
    const now = await this.load(project, id);
    if (!isEnded(now)) await this.repository.end(now, this.endingOf(now, gone, 'cancelled'));
  }

  /**
   * Lets a row go on whose workflow is gone: a new one continues from the rows, and another that has taken its id is
   * ended. If its workflow is open, or somebody else has just revived it, there is nothing to do.
   * @throws ApiError 409 if it is completed, or is just ending; 400 if what it needs is not there any more
   */
  async revive(project: string, id: string): Promise<Dto> {
    await this.reviveRow(await this.load(project, id));
    return this.get(project, id);
  }

  private async reviveRow(row: Row): Promise<void> {
    const { id, project, status } = row;
    if (status === 'completed') throw this.hasEnded(row, 'revived');
    if (status !== 'queued') {
      const found = await this.find(row);
      if (!isGone(found)) {
        if (!isEnded(row)) return;
        throw stillEnding(row);
      }
      if (found.stranger) await this.workflows.endStranger(found.stranger);
      await this.workflows.endChildren(id);
      await this.repository.requeue(row);
    }
    const now = await this.load(project, id);
    if (now.status === 'queued') await this.tryStart(now);
  }

  /**
   * Deletes what has ended: its row now, the rest in the background. A second call does nothing more.
   * @returns whether nothing of it is left
   * @throws ApiError 404 if there is none and was none; 409 if it has not ended, or something unfinished uses it
   */
  async remove(project: string, id: string): Promise<boolean> {
    const row = await this.repository.find(project, id);
    if (row) await this.removeRow(row);
    const removal = await this.repository.findRemoval(project, id);
    if (!removal) throw this.unknown(id);
    const isGone = removal.removedAt !== null;
    if (!isGone) void this.removals.proceed();
    return isGone;
  }

  private async removeRow(row: Row): Promise<void> {
    if (!isEnded(row)) throw notEnded(row);
    const found = await this.find(row);
    if (!isGone(found)) throw stillEnding(row);
    // Its history would be deleted with the row's.
    if (found.stranger) throw takenOver(row, found);
    await this.workflows.endChildren(row.id);
    await this.repository.remove(row);
  }

  /** How a row ends whose workflow is gone, in words that say what happened and what to do. */
  endingOf(row: Row, { reason, cancelled }: GoneWorkflow, wanted?: 'cancelled'): LostEnding {
    const { noun, kept, revive } = this.names;
    const message =
      `The workflow of the ${noun} in Temporal is gone: ${reason}. ${kept(row as never)} ` +
      `To let it go on from there: ${revive(row.id)}`;
    return { status: wanted ?? (cancelled ? 'cancelled' : 'failed'), failure: { type: WORKFLOW_LOST, message } };
  }

  /** 400 that lists what is wrong with what was submitted. */
  protected refused(issues: readonly ApiIssue[], more?: number): Error {
    return refusedFor(this.names.invalid, this.names.refused, issues, more);
  }

  private unknown(id: string): Error {
    return notFound(this.names.notFound, `There is no ${this.names.noun} "${id}".`, { param: 'id' });
  }

  private waits({ id }: Row, done: string): Error {
    const message = `${id} waits for other ${this.names.noun}s and has not begun; it cannot be ${done}, but cancelled.`;
    return conflict('not_begun', message, { param: 'id' });
  }

  private hasEnded(row: Row, done: string, gone?: GoneWorkflow): Error {
    const { id, status } = row;
    const options: ApiErrorOptions = { param: 'id' };
    if (isEnded(row)) return conflict(this.names.ended, `${id} is ${status}; it cannot be ${done}.`, options);
    const reason = gone ? `: ${gone.reason}` : '';
    const message =
      `${id} is ${status}, but its workflow is gone${reason}; it cannot be ${done}. ` +
      `To let it go on: ${this.names.revive(id)}`;
    return conflict(this.names.ended, message, options);
  }
}

function stillEnding({ id, status }: Submission): Error {
  const message = `${id} is ${status}, but its workflow has not ended yet. Try again in a moment.`;
  return conflict('still_ending', message, { param: 'id' });
}

function takenOver({ id }: Submission, { reason }: GoneWorkflow): Error {
  return conflict('still_ending', `${id} cannot be deleted: ${reason}. Terminate that one in Temporal first.`, {
    param: 'id',
  });
}

/** The prefix and ten random base32 characters: 50 bits. */
function newId(prefix: string): string {
  return `${prefix}-${Array.from(randomBytes(10), (byte) => BASE32[byte % 32]).join('')}`;
}
