import { Body, Controller, Get, Headers, Param, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import type { ApiKey } from '../../infra/database/entities/index.js';
import { Caller } from '../auth/project.decorator.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { named } from '../common/json-schema.js';
import { idPageQuery, type IdPageQuery, type List } from '../common/list.dto.js';
import { answerCreation, CreateNowRoute } from '../submissions/routes.js';
import { newProjectSchema, projectListSchema, projectSchema, type NewProject, type ProjectDto } from './project.dto.js';
import { ProjectsService } from './projects.service.js';

const PATH = 'v1/projects';
const PROJECT = { schema: named('Project', projectSchema) };

@ApiTags('projects')
@ApiErrorResponses()
@Controller(PATH)
export class ProjectsController {
  constructor(private readonly service: ProjectsService) {}

  @CreateNowRoute(
    {
      summary: 'Create a project',
      description: 'Needs `admin` in the project `default`. Then create a key of it: `POST /v1/keys` with its id.',
    },
    {
      body: named('ProjectInput', newProjectSchema, 'input'),
      repeated: 'project',
      refused: 'It cannot be called so; `issues` says why.',
      conflict: 'There is a project of this id, or the Idempotency-Key was used for another request.',
    },
    PROJECT,
    'An earlier request with this key created it.',
  )
  async create(
    @Caller() caller: ApiKey,
    @Body({ schema: newProjectSchema }) body: NewProject,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ProjectDto> {
    return answerCreation(response, PATH, await this.service.create(caller, body, key));
  }

  @Get()
  @ApiOperation({
    summary: 'List projects, oldest first',
    description: 'Needs `admin`. Without `admin` in the project `default`, the own project alone.',
  })
  @ApiOkResponse({ schema: named('ProjectList', projectListSchema) })
  async list(@Caller() caller: ApiKey, @Query({ schema: idPageQuery }) page: IdPageQuery): Promise<List<ProjectDto>> {
    return this.service.list(caller, page);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Get a project', description: 'Needs `admin`.' })
  @ApiOkResponse(PROJECT)
  async get(@Caller() caller: ApiKey, @Param('id') id: string): Promise<ProjectDto> {
    return this.service.get(caller, id);
  }
}
