import { Inject, Injectable, Logger, Optional, type OnModuleDestroy } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ArtifactStore } from '../../../infra/artifacts/artifact-store.js';
import { exportDirectory, runDirectory } from '../../../infra/artifacts/run-directory.js';
import { Removal } from '../../../infra/database/entities/index.js';
import { ARTIFACTS } from '../../dependencies.module.js';
import { removeUnusedImages } from '../../agent-flows/stored-images.js';
import { Workflows } from '../../temporal/workflows.js';
import { deleteRowsOf, ownedTables } from './rows-of.js';

/**
 * When a removal is looked at again. An attempt of an activity that was lost before the deletion has been given up by
 * then, and what it has written late is found.
 */
const LOOK_AGAIN = "interval '1 day'";

/** What a removal has just done: its steps in their order, `rows <table>` after each transaction. */
export type RemovalStep = 'histories' | 'discarded' | 'files' | 'images' | `rows ${string}` | 'done';

/** Told after each step; tests let a removal die there. */
export type AfterRemovalStep = (step: RemovalStep, id: string) => void;

/** Thrown between two steps when the process ends. */
class Stopping extends Error {}

/**
 * Completes deletions whose row in `removals` says that they have begun: histories in Temporal, artifacts and pictures,
 * rows. Each step may be repeated, and several processes may do it at once. One that dies anywhere leaves a row that is
 * not settled, and whoever looks next does all of it again.
 */
@Injectable()
export class RemovalsService implements OnModuleDestroy {
  private readonly logger = new Logger(RemovalsService.name);
  private work: Promise<void> = Promise.resolve();
  private stopping = false;

  constructor(
    private readonly dataSource: DataSource,
    @Inject(ARTIFACTS) private readonly artifacts: ArtifactStore,
    private readonly workflows: Workflows,
    @Optional() private readonly afterStep: AfterRemovalStep = () => undefined,
  ) {}

  async onModuleDestroy(): Promise<void> {
    this.stopping = true;
    await this.work;
  }

  /** Removes whatever is to be removed now, after what is being removed already. Failures are logged. */
  proceed(): Promise<void> {
    this.work = this.work.then(() => this.removeAll());
    return this.work;
  }

  /** A removal that fails does not keep the others from their turn, and is tried again at the next call. */
  private async removeAll(): Promise<void> {
    const failed: string[] = [];
    try {
      for (let next = await this.next(failed); next && !this.stopping; next = await this.next(failed)) {
        if (!(await this.tryRemove(next))) failed.push(next.id);
      }
    } catch (error) {
      this.logger.warn(`Deletions under way could not be read: ${(error as Error).message}`);
    }
  }

  private async tryRemove(removal: Removal): Promise<boolean> {
    try {
      await this.remove(removal);
      return true;
    } catch (error) {
      if (!(error instanceof Stopping)) {
        this.logger.warn(`The rest of ${removal.id} will be removed later: ${(error as Error).message}`);
      }
      return false;
    }
  }

  private async next(except: readonly string[]): Promise<Removal | null> {
    return this.dataSource
      .getRepository(Removal)
      .createQueryBuilder('removal')
      .where(`NOT removal.settled AND (removal.removed_at IS NULL OR removal.removed_at < now() - ${LOOK_AGAIN})`)
      .andWhere('removal.id <> ALL(:except)', { except })
      .orderBy('removal.id')
      .getOne();
  }

  private async remove({ id, images }: Removal): Promise<void> {
    await this.workflows.forget(id);
    this.reached('histories', id);
    const directories = [runDirectory(id), exportDirectory(id)];
    for (const directory of directories) await this.artifacts.discard(directory);
    this.reached('discarded', id);
    for (const directory of directories) await this.artifacts.deleteDiscarded(directory);
    this.reached('files', id);
    await removeUnusedImages(this.dataSource, this.artifacts, images);
    this.reached('images', id);
    for (const table of ownedTables(this.dataSource)) {
      await deleteRowsOf(this.dataSource, id, table, () => this.reached(`rows ${table.name}`, id));
    }
    await this.dataSource
      .createQueryBuilder()
      .update(Removal)
      // Not settled if another process has just come to the end too: that is looked at again.
      .set({
        settled: () => `COALESCE(removed_at < now() - ${LOOK_AGAIN}, false)`,
        removedAt: () => 'COALESCE(removed_at, now())',
      })
      .where({ id })
      .execute();
    this.reached('done', id);
  }

  private reached(step: RemovalStep, id: string): void {
    this.afterStep(step, id);
    if (this.stopping && step !== 'done') throw new Stopping();
  }
}
