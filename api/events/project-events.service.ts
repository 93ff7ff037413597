import { Injectable } from '@nestjs/common';
import { DataSource, MoreThan } from 'typeorm';
import { ProjectEvent } from '../../infra/database/entities/index.js';
import { topicOfProject } from '../../infra/database/event-channel.js';
import { toList, type List, type NumberPageQuery } from '../common/list.dto.js';
import { followed, type Look } from './followed.js';
import { toProjectEventDto, type ProjectEventDto } from './project-event.dto.js';
import { SharedLooks } from './shared-looks.js';
import { WakeupsService } from './wakeups.service.js';

const PAGE = 500;

/** The events of everything that belongs to a project. */
@Injectable()
export class ProjectEventsService {
  private readonly looks = new SharedLooks<Look<ProjectEventDto>>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly wakeups: WakeupsService,
  ) {}

  async list(project: string, { after = 0, limit }: NumberPageQuery): Promise<List<ProjectEventDto>> {
    const events = await this.read(project, after, limit + 1);
    return toList(
      events,
      limit,
      ({ id }) => id,
      (event) => event,
    );
  }

  /** Pages of events (followed), until `signal` is aborted: a project does not end. */
  follow(project: string, after: number, signal: AbortSignal): AsyncGenerator<ProjectEventDto[], void> {
    const place = { project, topic: topicOfProject(project), after };
    return followed(this.wakeups, this.looks, place, signal, async (known) => {
      const events = await this.read(project, known, PAGE);
      return { events, isFull: events.length === PAGE };
    });
  }

  private async read(project: string, after: number, limit: number): Promise<ProjectEventDto[]> {
    const rows = await this.dataSource.getRepository(ProjectEvent).find({
      where: { project, sequence: MoreThan(after) },
      order: { sequence: 'ASC' },
      take: limit,
    });
    return rows.map(toProjectEventDto);
  }
}
