import { Injectable } from '@nestjs/common';
import { DataSource, MoreThan } from 'typeorm';
import { RunEvent } from '../../infra/database/entities/index.js';
import { isEnded } from '../../infra/database/submission-rows.js';
import { toList, type List, type NumberPageQuery } from '../common/list.dto.js';
import { TrainingRunsService } from '../training-runs/training-runs.service.js';
import { followed, type Look } from './followed.js';
import { toRunEventDto, type RunEventDto } from './run-event.dto.js';
import { SharedLooks } from './shared-looks.js';
import { WakeupsService } from './wakeups.service.js';

const PAGE = 500;

@Injectable()
export class EventsService {
  private readonly looks = new SharedLooks<Look<RunEventDto>>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly runs: TrainingRunsService,
    private readonly wakeups: WakeupsService,
  ) {}

  async list(project: string, runId: string, { after = 0, limit }: NumberPageQuery): Promise<List<RunEventDto>> {
    await this.runs.requireKnown(project, runId);
    return toList(await this.read(runId, after, limit + 1), limit, ({ sequence }) => String(sequence), toRunEventDto);
  }

  /** Whether a run is finished and has no event after this sequence, and so never will have one. */
  async isOver(project: string, runId: string, after: number): Promise<boolean> {
    const run = await this.runs.load(project, runId);
    return isEnded(run) && run.eventSequence <= after;
  }

  /** Pages of events (followed), until the run is finished and all is told. */
  follow(project: string, runId: string, after: number, signal: AbortSignal): AsyncGenerator<RunEventDto[], void> {
    const place = { project, topic: runId, after };
    return followed(this.wakeups, this.looks, place, signal, (known) => this.look(project, runId, known));
  }

  private async look(project: string, runId: string, after: number): Promise<Look<RunEventDto>> {
    const events = (await this.read(runId, after, PAGE)).map(toRunEventDto);
    const isFull = events.length === PAGE;
    const isOver = !isFull && (await this.isOver(project, runId, events.at(-1)?.sequence ?? after));
    return { events, isFull, isOver };
  }

  private async read(runId: string, after: number, limit: number): Promise<RunEvent[]> {
    return this.dataSource.getRepository(RunEvent).find({
      where: { runId, sequence: MoreThan(after) },
      order: { sequence: 'ASC' },
      take: limit,
    });
  }
}
