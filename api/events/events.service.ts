import { Injectable } from '@nestjs/common';
import { DataSource, MoreThan } from 'typeorm';
import { RunEvent } from '../../infra/database/entities/index.js';
import { isEnded } from '../../infra/database/submission-rows.js';
import { toList, type List, type NumberPageQuery } from '../common/list.dto.js';
import { TrainingRunsService } from '../training-runs/training-runs.service.js';
import { toRunEventDto, type RunEventDto } from './run-event.dto.js';
import { SharedLooks } from './shared-looks.js';
import { WakeupsService } from './wakeups.service.js';

const PAGE = 500;

/** What there is after a sequence, and whether nothing can follow it. */
interface Look {
  events: RunEventDto[];
  isOver: boolean;
}

@Injectable()
export class EventsService {
  private readonly looks = new SharedLooks<Look>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly runs: TrainingRunsService,
    private readonly wakeups: WakeupsService,
  ) {}

  async list(project: string, runId: string, { after = 0, limit }: NumberPageQuery): Promise<List<RunEventDto>> {
    await this.runs.load(project, runId);
    return toList(await this.read(runId, after, limit + 1), limit, ({ sequence }) => String(sequence), toRunEventDto);
  }

  /** Whether a run is finished and has no event after this sequence, and so never will have one. */
  async isOver(project: string, runId: string, after: number): Promise<boolean> {
    const run = await this.runs.load(project, runId);
    return isEnded(run) && run.eventSequence <= after;
  }

  /**
   * Every event after a sequence in order, then each new one as it comes, until the run is finished and all is told or
   * `signal` is aborted. Sequences become visible in order, so that reading beyond the last one misses nothing.
   * An empty page is passed on at every look that finds nothing.
   */
  async *follow(
    project: string,
    runId: string,
    after: number,
    signal: AbortSignal,
  ): AsyncGenerator<RunEventDto[], void> {
    let last = after;
    for await (const wake of this.wakeups.of(runId, signal)) {
      for (let more = true; more && !signal.aborted;) {
        const { events, isOver } = await this.look(project, runId, last, wake);
        last = events.at(-1)?.sequence ?? last;
        yield events;
        if (isOver) return;
        more = events.length === PAGE;
      }
    }
  }

  private async look(project: string, runId: string, after: number, wake: number): Promise<Look> {
    return this.looks.take([project, runId, after, wake], async () => {
      const events = (await this.read(runId, after, PAGE)).map(toRunEventDto);
      const isOver = events.length < PAGE && (await this.isOver(project, runId, events.at(-1)?.sequence ?? after));
      return { events, isOver };
    });
  }

  private async read(runId: string, after: number, limit: number): Promise<RunEvent[]> {
    return this.dataSource.getRepository(RunEvent).find({
      where: { runId, sequence: MoreThan(after) },
      order: { sequence: 'ASC' },
      take: limit,
    });
  }
}
