import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { type ApiKey, Project } from '../../infra/database/entities/index.js';
import { conflict, forbidden, notFound } from '../common/api-error.js';
import { toList, type IdPageQuery, type List } from '../common/list.dto.js';
import { numberedPage } from '../common/numbered-page.js';
import { createOnce, readIdempotency } from '../submissions/idempotency.js';
import { isOperator, OPERATOR_PROJECT } from './operator.js';
import { toProjectDto, type NewProject, type ProjectDto } from './project.dto.js';

/** An operator knows every project, any other admin its own. */
@Injectable()
export class ProjectsService {
  constructor(private readonly dataSource: DataSource) {}

  /** @throws ApiError 403 if the caller is no operator; 409 if there is one of this id */
  async create(
    caller: ApiKey,
    project: NewProject,
    idempotencyKey?: string,
  ): Promise<{ dto: ProjectDto; created: boolean }> {
    if (!isOperator(caller)) throw operatorOnly(caller);
    const idempotency = readIdempotency(idempotencyKey, { project });
    const place = { id: project.id, project: caller.project };
    const earlier = await createOnce(this.dataSource, place, idempotency, (manager) => insert(manager, project));
    return { dto: await this.get(caller, earlier ?? project.id), created: earlier === undefined };
  }

  /** In the order of creation. */
  async list(caller: ApiKey, page: IdPageQuery): Promise<List<ProjectDto>> {
    const where = isOperator(caller) ? {} : { id: caller.project };
    const listed = { where, order: 'ASC', noun: 'project', find: (id: string) => this.find(caller, id) } as const;
    const rows = await numberedPage(this.dataSource.getRepository(Project), listed, page);
    return toList(rows, page.limit, ({ id }) => id, toProjectDto);
  }

  /** @throws ApiError 404, also if the caller may not know it */
  async get(caller: ApiKey, id: string): Promise<ProjectDto> {
    const project = await this.find(caller, id);
    if (!project) throw notFound('project_not_found', `There is no project "${id}".`, { param: 'id' });
    return toProjectDto(project);
  }

  /** Null also if the caller may not know it. */
  async find(caller: ApiKey, id: string): Promise<Project | null> {
    if (!isOperator(caller) && id !== caller.project) return null;
    return this.dataSource.getRepository(Project).findOneBy({ id });
  }
}

async function insert(manager: EntityManager, { id }: NewProject): Promise<void> {
  const inserted = await manager
    .createQueryBuilder()
    .insert()
    .into(Project)
    .values({ id })
    .orIgnore()
    .returning(['id'])
    .execute();
  if ((inserted.raw as unknown[]).length > 0) return;
  throw conflict('project_exists', `There is a project "${id}" already.`, { param: 'id' });
}

function operatorOnly({ id, project }: ApiKey): Error {
  const message = `Projects are created with an admin key of the project "${OPERATOR_PROJECT}"; ${id} is one of "${project}".`;
  return forbidden('operator_only', message, { param: 'Authorization' });
}
