import { Body, Controller, Get, Headers, HttpStatus, Param, Post, Query, Res } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiBody,
  ApiConflictResponse,
  ApiConsumes,
  ApiCreatedResponse,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { runConfigSchema } from '../../workflows/contracts/run-config.js';
import { Project } from '../auth/project.decorator.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { badRequest } from '../common/api-error.js';
import { named } from '../common/json-schema.js';
import { idPageQuery, numberPageQuery, type IdPageQuery, type List, type NumberPageQuery } from '../common/list.dto.js';
import { checkpointListSchema, type CheckpointDto } from './dto/checkpoint.dto.js';
import { trainingRunListSchema, trainingRunSchema, type TrainingRunDto } from './dto/training-run.dto.js';
import { trainingStepListSchema, type TrainingStepDto } from './dto/training-step.dto.js';
import { TrainingRunsService } from './training-runs.service.js';

@ApiTags('training runs')
@ApiErrorResponses()
@Controller('v1/training_runs')
export class TrainingRunsController {
  constructor(private readonly service: TrainingRunsService) {}

  @Post()
  @ApiOperation({ summary: 'Submit a training run', description: 'The body is a run configuration, as JSON or YAML.' })
  @ApiConsumes('application/json', 'application/yaml')
  @ApiBody({ schema: named('RunConfigInput', runConfigSchema, 'input') })
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: 'Equal key and body: the same run again.' })
  @ApiCreatedResponse({ schema: named('TrainingRun', trainingRunSchema), description: 'Queued.' })
  @ApiOkResponse({
    schema: named('TrainingRun', trainingRunSchema),
    description: 'An earlier request with this key made it.',
  })
  @ApiBadRequestResponse({ description: 'The configuration cannot be accepted; `issues` lists why.' })
  @ApiConflictResponse({ description: 'The Idempotency-Key was used with another body.' })
  async create(
    @Project() project: string,
    @Body() body: unknown,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<TrainingRunDto> {
    if (body === undefined) throw badRequest('body_missing', 'The body must be a run configuration, as JSON or YAML.');
    const { run, created } = await this.service.create(project, body, key);
    response.status(created ? HttpStatus.CREATED : HttpStatus.OK).location(`/v1/training_runs/${run.id}`);
    return run;
  }

  @Get()
  @ApiOperation({ summary: 'List training runs, newest first' })
  @ApiOkResponse({ schema: named('TrainingRunList', trainingRunListSchema) })
  async list(
    @Project() project: string,
    @Query({ schema: idPageQuery }) page: IdPageQuery,
  ): Promise<List<TrainingRunDto>> {
    return this.service.list(project, page);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Get a training run' })
  @ApiOkResponse({ schema: named('TrainingRun', trainingRunSchema) })
  async get(@Project() project: string, @Param('id') id: string): Promise<TrainingRunDto> {
    return this.service.get(project, id);
  }

  @Get(':id/steps')
  @ApiOperation({ summary: 'List the finished training steps of a run with their metrics' })
  @ApiOkResponse({ schema: named('TrainingStepList', trainingStepListSchema) })
  async listSteps(
    @Project() project: string,
    @Param('id') id: string,
    @Query({ schema: numberPageQuery }) page: NumberPageQuery,
  ): Promise<List<TrainingStepDto>> {
    return this.service.listSteps(project, id, page);
  }

  @Get(':id/checkpoints')
  @ApiOperation({ summary: 'List the checkpoints of a run' })
  @ApiOkResponse({ schema: named('CheckpointList', checkpointListSchema) })
  async listCheckpoints(
    @Project() project: string,
    @Param('id') id: string,
    @Query({ schema: numberPageQuery }) page: NumberPageQuery,
  ): Promise<List<CheckpointDto>> {
    return this.service.listCheckpoints(project, id, page);
  }
}
