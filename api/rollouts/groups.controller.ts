import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Project } from '../auth/project.decorator.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { named } from '../common/json-schema.js';
import type { List } from '../common/list.dto.js';
import { groupListSchema, groupsQuery, type GroupDto, type GroupsQuery } from './group.dto.js';
import { GroupsService } from './groups.service.js';

@ApiTags('rollouts')
@ApiErrorResponses()
@Controller('v1/groups')
export class GroupsController {
  constructor(private readonly service: GroupsService) {}

  @Get()
  @ApiOperation({ summary: 'List the groups of a training run: the rollouts of one question in a step, compared' })
  @ApiOkResponse({ schema: named('GroupList', groupListSchema) })
  async list(@Project() project: string, @Query({ schema: groupsQuery }) query: GroupsQuery): Promise<List<GroupDto>> {
    return this.service.list(project, query);
  }
}
