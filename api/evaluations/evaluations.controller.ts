import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Project } from '../auth/project.decorator.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { named } from '../common/json-schema.js';
import { idPageQuery, type IdPageQuery, type List } from '../common/list.dto.js';
import { evaluationListSchema, type EvaluationDto } from './evaluation.dto.js';
import { EvaluationsService } from './evaluations.service.js';

@ApiTags('evaluations')
@ApiErrorResponses()
@Controller('v1/training_runs/:id/evaluations')
export class EvaluationsController {
  constructor(private readonly service: EvaluationsService) {}

  @Get()
  @ApiOperation({ summary: 'List the evaluations of a run: the policy after its steps, and the yardsticks' })
  @ApiOkResponse({ schema: named('EvaluationList', evaluationListSchema) })
  async list(
    @Project() project: string,
    @Param('id') id: string,
    @Query({ schema: idPageQuery }) page: IdPageQuery,
  ): Promise<List<EvaluationDto>> {
    return this.service.list(project, id, page);
  }
}
