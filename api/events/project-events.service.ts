import { Injectable } from '@nestjs/common';
import { DataSource, MoreThan } from 'typeorm';
import { ProjectEvent } from '../../infra/database/entities/index.js';
import { topicOfProject } from '../../infra/database/event-channel.js';
import { toList, type List, type NumberPageQuery } from '../common/list.dto.js';
import { toProjectEventDto, type ProjectEventDto } from './project-event.dto.js';
import { SharedLooks } from './shared-looks.js';
import { WakeupsService } from './wakeups.service.js';

const PAGE = 500;

/** The events of everything that belongs to a project. */
@Injectable()
export class ProjectEventsService {
  private readonly looks = new SharedLooks<ProjectEventDto[]>();

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

  /**
   * Every event after a sequence in order, then each new one as it comes, until `signal` is aborted: a project does not
   * end. An empty page is passed on at every look that finds nothing.
   */
  async *follow(project: string, after: number, signal: AbortSignal): AsyncGenerator<ProjectEventDto[], void> {
    let last = after;
    for await (const wake of this.wakeups.of(topicOfProject(project), signal)) {
      for (let more = true; more && !signal.aborted;) {
        const known = last;
        const events = await this.looks.take([project, known, wake], () => this.read(project, known, PAGE));
        last = events.at(-1)?.sequence ?? last;
        yield events;
        more = events.length === PAGE;
      }
    }
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
