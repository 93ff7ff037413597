import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Project } from '../auth/project.decorator.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { named } from '../common/json-schema.js';
import { idPageQuery, type IdPageQuery, type List } from '../common/list.dto.js';
import { rolloutListSchema, type RolloutDto } from './rollout.dto.js';
import { rolloutsQuery, type RolloutsQuery } from './rollouts.query.js';
import { RolloutsService } from './rollouts.service.js';
import { rolloutWithTurnsSchema, turnListSchema, type RolloutWithTurnsDto, type TurnDto } from './turn.dto.js';

@ApiTags('rollouts')
@ApiErrorResponses()
@Controller('v1/rollouts')
export class RolloutsController {
  constructor(private readonly service: RolloutsService) {}

  @Get()
  @ApiOperation({ summary: 'List the finished rollouts of a run' })
  @ApiOkResponse({ schema: named('RolloutList', rolloutListSchema) })
  async list(
    @Project() project: string,
    @Query({ schema: rolloutsQuery }) query: RolloutsQuery,
  ): Promise<List<RolloutDto>> {
    return this.service.list(project, query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Get a rollout with its turns, token ids and log-probs' })
  @ApiOkResponse({ schema: named('RolloutWithTurns', rolloutWithTurnsSchema) })
  async get(@Project() project: string, @Param('id') id: string): Promise<RolloutWithTurnsDto> {
    return this.service.get(project, id);
  }

  @Get(':id/turns')
  @ApiOperation({ summary: 'List what each agent module did in a rollout, in the order in which it did it' })
  @ApiOkResponse({ schema: named('TurnList', turnListSchema) })
  async listTurns(
    @Project() project: string,
    @Param('id') id: string,
    @Query({ schema: idPageQuery }) page: IdPageQuery,
  ): Promise<List<TurnDto>> {
    return this.service.listTurns(project, id, page);
  }
}
