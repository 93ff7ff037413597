import { Body, Controller, Get, Headers, Param, Query, Res, UseInterceptors } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { runConfigSchema } from '../../contracts/run-config.js';
import { Checkpoint, TrainingStep } from '../../infra/database/entities/index.js';
import { Project } from '../auth/project.decorator.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { named } from '../common/json-schema.js';
import type { List } from '../common/list.dto.js';
import { answerCreation, CreateRoute } from '../submissions/routes.js';
import { checkpointListSchema, toCheckpointDto, type CheckpointDto } from './dto/checkpoint.dto.js';
import { forkBody, type ForkBody } from './dto/fork.dto.js';
import { trainingRunListSchema, trainingRunSchema, type TrainingRunDto } from './dto/training-run.dto.js';
import { toTrainingStepDto, trainingStepListSchema, type TrainingStepDto } from './dto/training-step.dto.js';
import { ETAG, RunTagsInterceptor } from './run-tags.interceptor.js';
import { runsQuery, type RunsQuery } from './runs.query.js';
import { stepsQuery, type StepsQuery } from './steps.query.js';
import { TrainingRunsService } from './training-runs.service.js';

const PATH = 'v1/training_runs';
const RUN = { schema: named('TrainingRun', trainingRunSchema) };

@ApiTags('training runs')
@ApiErrorResponses()
@Controller(PATH)
export class TrainingRunsController {
  constructor(private readonly service: TrainingRunsService) {}

  @CreateRoute(
    { summary: 'Submit a training run', description: 'The body is a run configuration, as JSON or YAML.' },
    { body: named('RunConfigInput', runConfigSchema, 'input'), called: 'configuration', becomes: 'run' },
    RUN,
  )
  async create(
    @Project() project: string,
    @Body() body: unknown,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<TrainingRunDto> {
    return answerCreation(response, PATH, await this.service.create(project, body, key));
  }

  @Get()
  @ApiOperation({ summary: 'List training runs, newest first, that all filters let pass' })
  @ApiOkResponse({ schema: named('TrainingRunList', trainingRunListSchema) })
  async list(
    @Project() project: string,
    @Query({ schema: runsQuery }) query: RunsQuery,
  ): Promise<List<TrainingRunDto>> {
    return this.service.list(project, query);
  }

  @Get(':id')
  @UseInterceptors(RunTagsInterceptor)
  @ApiOperation({ summary: 'Get a training run' })
  @ApiOkResponse({ ...RUN, headers: ETAG })
  async get(@Project() project: string, @Param('id') id: string): Promise<TrainingRunDto> {
    return this.service.get(project, id);
  }

  @CreateRoute(
    {
      summary: 'Fork a training run',
      description:
        'A new run with the configuration of this one, changed where you say so, that starts from a copy of its policy. It depends on nothing of the run once it has begun.',
    },
    { body: named('Fork', forkBody, 'input'), called: 'configuration', becomes: 'run', isOptional: true },
    RUN,
    { ...RUN, description: 'An earlier request with this key created it.' },
    ':id/fork',
  )
  async fork(
    @Project() project: string,
    @Param('id') id: string,
    @Body({ schema: forkBody }) body: ForkBody,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<TrainingRunDto> {
    return answerCreation(response, PATH, await this.service.fork(project, id, body, key));
  }

  @Get(':id/steps')
  @ApiOperation({ summary: 'List the finished training steps of a run with their metrics' })
  @ApiOkResponse({ schema: named('TrainingStepList', trainingStepListSchema) })
  async listSteps(
    @Project() project: string,
    @Param('id') id: string,
    @Query({ schema: stepsQuery }) page: StepsQuery,
  ): Promise<List<TrainingStepDto>> {
    return this.service.listByStep(project, id, page, TrainingStep, toTrainingStepDto);
  }

  @Get(':id/checkpoints')
  @ApiOperation({ summary: 'List the checkpoints of a run' })
  @ApiOkResponse({ schema: named('CheckpointList', checkpointListSchema) })
  async listCheckpoints(
    @Project() project: string,
    @Param('id') id: string,
    @Query({ schema: stepsQuery }) page: StepsQuery,
  ): Promise<List<CheckpointDto>> {
    return this.service.listByStep(project, id, page, Checkpoint, toCheckpointDto);
  }
}
