import { Body, Controller, Get, Headers, HttpCode, HttpStatus, Param, Post, Query, Res } from '@nestjs/common';
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
import { evaluationConfigSchema } from '../../workflows/contracts/evaluation-config.js';
import { Project } from '../auth/project.decorator.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { badRequest } from '../common/api-error.js';
import { named } from '../common/json-schema.js';
import { idPageQuery, type IdPageQuery, type List } from '../common/list.dto.js';
import { BenchmarkEvaluationsService } from './benchmark-evaluations.service.js';
import {
  benchmarkEvaluationListSchema,
  benchmarkEvaluationSchema,
  type BenchmarkEvaluationDto,
} from './dto/benchmark-evaluation.dto.js';

const EVALUATION = { schema: named('BenchmarkEvaluation', benchmarkEvaluationSchema) };

@ApiTags('evaluations')
@ApiErrorResponses()
@Controller('v1/evaluations')
export class BenchmarkEvaluationsController {
  constructor(private readonly service: BenchmarkEvaluationsService) {}

  @Post()
  @ApiOperation({
    summary: 'Evaluate policies on benchmarks',
    description: 'Benchmarks x policies x turn budgets, each question as often as there are trials, as agent flows.',
  })
  @ApiConsumes('application/json', 'application/yaml')
  @ApiBody({ schema: named('EvaluationInput', evaluationConfigSchema, 'input') })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'Equal key and body: the same evaluation again.',
  })
  @ApiCreatedResponse({ ...EVALUATION, description: 'Queued.' })
  @ApiOkResponse({ ...EVALUATION, description: 'An earlier request with this key made it.' })
  @ApiBadRequestResponse({ description: 'The evaluation cannot be accepted; `issues` lists why.' })
  @ApiConflictResponse({ description: 'The Idempotency-Key was used with another body.' })
  async create(
    @Project() project: string,
    @Body() body: unknown,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<BenchmarkEvaluationDto> {
    if (body === undefined) throw badRequest('body_missing', 'The body must be an evaluation, as JSON or YAML.');
    const { evaluation, created } = await this.service.create(project, body, key);
    response.status(created ? HttpStatus.CREATED : HttpStatus.OK).location(`/v1/evaluations/${evaluation.id}`);
    return evaluation;
  }

  @Get()
  @ApiOperation({ summary: 'List evaluations that were submitted, newest first' })
  @ApiOkResponse({ schema: named('BenchmarkEvaluationList', benchmarkEvaluationListSchema) })
  async list(
    @Project() project: string,
    @Query({ schema: idPageQuery }) page: IdPageQuery,
  ): Promise<List<BenchmarkEvaluationDto>> {
    return this.service.list(project, page);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Get an evaluation: how far it is, and its report once it has ended' })
  @ApiOkResponse(EVALUATION)
  async get(@Project() project: string, @Param('id') id: string): Promise<BenchmarkEvaluationDto> {
    return this.service.get(project, id);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOperation({ summary: 'Cancel: flows that are open end without an answer, and there is no report' })
  @ApiOkResponse(EVALUATION)
  @ApiConflictResponse({ description: 'The evaluation has ended.' })
  async cancel(@Project() project: string, @Param('id') id: string): Promise<BenchmarkEvaluationDto> {
    return this.service.cancel(project, id);
  }
}
