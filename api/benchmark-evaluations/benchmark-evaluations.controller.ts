import { Body, Controller, Get, Headers, Param, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { evaluationConfigSchema } from '../../contracts/evaluation-config.js';
import { workUpdates } from '../../contracts/messages.js';
import { Project } from '../auth/project.decorator.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { named } from '../common/json-schema.js';
import { idPageQuery, type IdPageQuery, type List } from '../common/list.dto.js';
import { answerCreation, CreateRoute, EndingRoutes, VerbRoute } from '../submissions/routes.js';
import { BenchmarkEvaluationsService } from './benchmark-evaluations.service.js';
import { answerListSchema, answersQuery, type AnswerDto, type AnswersQuery } from './dto/answer.dto.js';
import {
  benchmarkEvaluationListSchema,
  benchmarkEvaluationSchema,
  type BenchmarkEvaluationDto,
} from './dto/benchmark-evaluation.dto.js';

const PATH = 'v1/evaluations';
const EVALUATION = { schema: named('BenchmarkEvaluation', benchmarkEvaluationSchema) };
const INPUT = {
  body: named('EvaluationInput', evaluationConfigSchema, 'input'),
  called: 'evaluation',
  becomes: 'evaluation',
};
const ENDING = {
  cancel: {
    operation: { summary: 'Cancel: flows that are open end without an answer, and there is no report' },
    refused: 'The evaluation has ended.',
  },
  revive: {
    operation: {
      summary: 'Continue an evaluation whose workflow is gone',
      description: 'What its flows did is not done again. If its workflow is open, nothing happens.',
    },
    refused: 'The evaluation is completed.',
  },
  remove: {
    operation: {
      summary: 'Delete an evaluation that has ended, with everything that belongs to it',
      description:
        'Its report, the rollouts and turns of its flows, idempotency key and histories in Temporal. May be repeated.',
    },
    accepted: 'It is in no list any more; what belongs to it is being removed.',
    gone: 'Nothing of it is left.',
    refused: 'The evaluation has not ended.',
  },
};

@ApiTags('evaluations')
@ApiErrorResponses()
@Controller(PATH)
export class BenchmarkEvaluationsController extends EndingRoutes<BenchmarkEvaluationDto>(EVALUATION, ENDING) {
  constructor(override readonly service: BenchmarkEvaluationsService) {
    super();
  }

  @CreateRoute(
    {
      summary: 'Evaluate policies on benchmarks',
      description:
        'Asks every question of each benchmark with each policy and turn budget, as often as there are trials. Each time is an agent flow.',
    },
    INPUT,
    EVALUATION,
  )
  async create(
    @Project() project: string,
    @Body() body: unknown,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<BenchmarkEvaluationDto> {
    return answerCreation(response, PATH, await this.service.create(project, body, key));
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

  @Get(':id/answers')
  @ApiOperation({
    summary: 'List the answers of an evaluation',
    description:
      'By line of the report, question and trial, as far as flows have ended: what was answered, what came of it, and ' +
      'which rule or judge said so.',
  })
  @ApiOkResponse({ schema: named('EvaluationAnswerList', answerListSchema) })
  async listAnswers(
    @Project() project: string,
    @Param('id') id: string,
    @Query({ schema: answersQuery }) query: AnswersQuery,
  ): Promise<List<AnswerDto>> {
    return this.service.listAnswers(project, id, query);
  }

  @VerbRoute(
    ':id/resume',
    {
      summary: 'Resume an evaluation that is paused by a failure: what failed is tried again',
      description: 'Flows that are recorded stay. A budget that was spent is granted once more.',
    },
    EVALUATION,
    'The evaluation has ended.',
  )
  async resume(@Project() project: string, @Param('id') id: string): Promise<BenchmarkEvaluationDto> {
    return this.service.tell(project, id, 'resumed', workUpdates.resume);
  }
}
