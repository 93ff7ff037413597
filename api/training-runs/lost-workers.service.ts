import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { LOST_AFTER_MS, tellOfLostWorkers } from '../../infra/database/workers.js';

const LOOK_EVERY_MS = 5_000;
/** Looks that are further apart than this were not one watch: this process, or the machine, stood still between them. */
const LONGEST_GAP_MS = 3 * LOOK_EVERY_MS;

/**
 * Tells training runs of workers that have fallen silent. Silence counts only while it is watched: after a sleep of the
 * machine or an outage of the database all workers are silent at once, and none of them is lost.
 *
 * Several API processes may do this at once: the deletion of a worker's row makes sure that each is told once.
 */
@Injectable()
export class LostWorkersService implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(LostWorkersService.name);
  private timer?: NodeJS.Timeout;
  private look: Promise<void> = Promise.resolve();
  private watchedSince = Number.POSITIVE_INFINITY;
  private lastLook = Number.NEGATIVE_INFINITY;

  constructor(private readonly dataSource: DataSource) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.look = this.look.then(() => this.lookAt(Date.now()));
    }, LOOK_EVERY_MS);
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.look;
  }

  /** One look. @param now in milliseconds, by a clock that goes on while the machine sleeps */
  async lookAt(now: number): Promise<void> {
    const gap = now - this.lastLook;
    // A clock that was put back has not watched either.
    if (gap < 0 || gap > LONGEST_GAP_MS) this.watchedSince = now;
    this.lastLook = now;
    try {
      if (now - this.watchedSince < LOST_AFTER_MS) await this.dataSource.query('SELECT');
      else for (const id of await tellOfLostWorkers(this.dataSource)) this.logger.warn(`${id} is lost.`);
    } catch (error) {
      this.watchedSince = Number.POSITIVE_INFINITY;
      this.lastLook = Number.NEGATIVE_INFINITY;
      this.logger.warn(`Nobody can tell now which workers are lost: ${(error as Error).message}`);
    }
  }
}
