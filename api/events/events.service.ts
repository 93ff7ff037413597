import { Injectable } from '@nestjs/common';
import { DataSource, MoreThan } from 'typeorm';
import { RunEvent } from '../../infra/database/entities/index.js';
import { isEnded } from '../../infra/database/submission-rows.js';
import { toList, type List, type NumberPageQuery } from '../common/list.dto.js';
import { TrainingRunsService } from '../training-runs/training-runs.service.js';
import { pollPause } from './poll-pause.js';
import { toRunEventDto, type RunEventDto } from './run-event.dto.js';

const PAGE = 500;

@Injectable()
export class EventsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly runs: TrainingRunsService,
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
    while (!signal.aborted) {
      const events = await this.read(runId, last, PAGE);
      last = events.at(-1)?.sequence ?? last;
      yield events.map(toRunEventDto);
      if (events.length === PAGE) continue;
      if (await this.isOver(project, runId, last)) return;
      await pollPause(signal);
    }
  }

  private async read(runId: string, after: number, limit: number): Promise<RunEvent[]> {
    return this.dataSource.getRepository(RunEvent).find({
      where: { runId, sequence: MoreThan(after) },
      order: { sequence: 'ASC' },
      take: limit,
    });
  }
}
