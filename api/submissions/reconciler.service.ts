import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import PQueue from 'p-queue';
import type { Submission } from '../../infra/database/entities/submission.entity.js';
import { toApiError } from '../common/to-api-error.js';
import { isGone, type GoneWorkflow } from '../temporal/workflows.js';
import { RemovalsService } from './removal/removals.service.js';
import type { Submissions } from './submissions.js';

const INTERVAL_MS = 30_000;
const PAGE = 100;
/** Rows that Temporal is asked about at once. */
const CONCURRENCY = 8;

/**
 * Compares every row that has not ended with its workflow: at boot, and every half minute. A queued row's workflow is
 * started. A row whose workflow is gone is ended, with a message, also if another is open under its id. That needs two
 * rounds, one after the other, that have found it gone, and a row that has not moved between them. Deletions that were
 * interrupted go on.
 *
 * Several API processes may do this at once: the row's version makes sure that each thing is done once.
 */
@Injectable()
export class ReconcilerService implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(ReconcilerService.name);
  private readonly kinds: Submissions[] = [];
  /** Version of each row whose workflow the last round found gone. */
  private suspects = new Map<string, number>();
  private timer?: NodeJS.Timeout;
  private round: Promise<void> = Promise.resolve();

  constructor(private readonly removals: RemovalsService) {}

  /** Adds a kind of submission; each module does so with its own. */
  add<Row extends Submission>(kind: Submissions<Row>): void {
    this.kinds.push(kind);
  }

  onApplicationBootstrap(): void {
    this.round = this.reconcile();
    this.timer = setInterval(() => {
      this.round = this.round.then(() => this.reconcile());
    }, INTERVAL_MS);
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.round;
  }

  /**
   * One round. An outage proves nothing: it ends the round, and what was suspected no longer counts. A row that cannot
   * be settled does not keep the others from their turn.
   */
  async reconcile(): Promise<void> {
    // Not waited for: files may take long to delete, and a queued row is not to wait for them.
    void this.removals.proceed();
    const found = new Map<string, number>();
    try {
      for (const kind of this.kinds) await this.reconcileKind(kind, found);
      this.suspects = found;
    } catch (error) {
      this.suspects = new Map();
      this.logger.warn(`Rows could not be compared with Temporal: ${(error as Error).message}`);
    }
  }

  private async reconcileKind(kind: Submissions, found: Map<string, number>): Promise<void> {
    const queue = new PQueue({ concurrency: CONCURRENCY });
    for (let after = 0; ;) {
      const rows = await kind.repository.listUnfinished(after, PAGE);
      await Promise.all(rows.map((row) => queue.add(() => this.settle(kind, row, found))));
      if (rows.length < PAGE) return;
      after = rows[rows.length - 1].number;
    }
  }

  private async settle(kind: Submissions, row: Submission, found: Map<string, number>): Promise<void> {
    try {
      if (row.status === 'queued' && (await kind.start(row)) !== 'gone') return;
      const workflow = await kind.find(row);
      if (isGone(workflow)) await this.suspect(kind, row, workflow, found);
    } catch (error) {
      if (toApiError(error).status === 503) throw error;
      this.logger.error(`${row.id} is ${row.status}, and cannot be settled: ${(error as Error).message}`);
    }
  }

  private async suspect(
    kind: Submissions,
    row: Submission,
    gone: GoneWorkflow,
    found: Map<string, number>,
  ): Promise<void> {
    if (this.suspects.get(row.id) !== row.statusVersion) {
      found.set(row.id, row.statusVersion);
      return;
    }
    const ending = kind.endingOf(row, gone);
    if (!(await kind.repository.end(row, ending))) return;
    this.logger.warn(`${row.id} was ${row.status} and is ${ending.status}: ${ending.failure.message}`);
  }
}
