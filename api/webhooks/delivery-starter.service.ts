import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import PQueue from 'p-queue';
import { DataSource, LessThan, Not } from 'typeorm';
import { WEBHOOK_DELIVERY_WORKFLOW } from '../../contracts/webhooks.js';
import { WebhookDelivery } from '../../infra/database/entities/index.js';
import { WEBHOOKS_TOPIC } from '../../infra/database/event-channel.js';
import { WakeupsService } from '../events/wakeups.service.js';
import { Workflows } from '../temporal/workflows.js';

const PAGE = 100;
/** Workflows that are started at once. */
const CONCURRENCY = 8;
/** Another API process starts what this one has taken up if it has not done so by then. */
const TAKEN_S = 30;
/** Until the first attempt is written, which puts off the next look to after the next attempt. */
const STARTED_S = 600;
const DAY_MS = 24 * 60 * 60 * 1000;
const KEPT_DAYS = 30;

type Due = Pick<WebhookDelivery, 'id' | 'replays' | 'type' | 'subject'>;

/**
 * Sees to it that a workflow works on every delivery that is pending: starts one as soon as there is an event, and another one
 * if it is gone when the next attempt is overdue. Several API processes may do this at once.
 */
@Injectable()
export class DeliveryStarterService implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(DeliveryStarterService.name);
  private readonly stopped = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private trimmedAt = 0;

  constructor(
    private readonly dataSource: DataSource,
    private readonly workflows: Workflows,
    private readonly wakeups: WakeupsService,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.run();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopped;
    const wakes = this.wakeups.of(WEBHOOKS_TOPIC, signal);
    while (!(await wakes.next()).done) {
      try {
        await this.trim();
        await this.startDue();
      } catch (error) {
        this.logger.warn(`Deliveries to webhooks could not be started: ${(error as Error).message}`);
      }
    }
  }

  /** Starts all that are due, and goes on at the next wake-up if Temporal does not answer. */
  private async startDue(): Promise<void> {
    const queue = new PQueue({ concurrency: CONCURRENCY });
    for (let taken = PAGE; taken === PAGE && !this.stopped.signal.aborted;) {
      const due = await this.take();
      taken = due.length;
      try {
        await Promise.all(due.map((delivery) => queue.add(() => this.start(delivery))));
      } catch (error) {
        queue.clear();
        await queue.onIdle();
        throw error;
      }
    }
  }

  private async take(): Promise<Due[]> {
    const [rows] = await this.dataSource.query<[Due[], number]>(
      `UPDATE webhook_deliveries SET due_at = now() + interval '${TAKEN_S} s' WHERE id IN (
        SELECT id FROM webhook_deliveries WHERE status = 'pending' AND due_at <= now()
        ORDER BY due_at LIMIT ${PAGE} FOR UPDATE SKIP LOCKED
      ) RETURNING id, replays, type, subject`,
    );
    return rows;
  }

  private async start({ id, replays: replay, type, subject }: Due): Promise<void> {
    // Which attempt is due is in the delivery's row: a second workflow, if there ever is one, finds nothing to do.
    const row = { id: `${id}/${replay}`, type: WEBHOOK_DELIVERY_WORKFLOW, workflow: null };
    const input = { id, replay };
    if (!(await this.workflows.start(row, { input, isNext: true, staticSummary: `${type} ${subject}` }))) return;
    await this.dataSource.query(
      `UPDATE webhook_deliveries SET due_at = GREATEST(due_at, now() + interval '${STARTED_S} s') WHERE id = $1`,
      [id],
    );
  }

  /** Once a day; the log is read by people, and not for ever. */
  private async trim(): Promise<void> {
    if (Date.now() - this.trimmedAt < DAY_MS) return;
    const old = LessThan(new Date(Date.now() - KEPT_DAYS * DAY_MS));
    await this.dataSource.getRepository(WebhookDelivery).delete({ status: Not('pending'), createdAt: old });
    this.trimmedAt = Date.now();
  }
}
