import { Body, Controller, Get, Headers, Param, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Project } from '../auth/project.decorator.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { named } from '../common/json-schema.js';
import type { List } from '../common/list.dto.js';
import { exportBody, exportSchema, type ExportBody, type ExportDto } from '../exports/export.dto.js';
import { ExportsService } from '../exports/exports.service.js';
import { answerCreation, CreateRoute, VerbRoute } from '../submissions/routes.js';
import { PoliciesService } from './policies.service.js';
import { policiesQuery, policyListSchema, policySchema, type PoliciesQuery, type PolicyDto } from './policy.dto.js';

const EXPORT = { schema: named('Export', exportSchema) };
const POLICY = { schema: named('Policy', policySchema) };

@ApiTags('policies')
@ApiErrorResponses()
@Controller('v1/policies')
export class PoliciesController {
  constructor(
    private readonly service: PoliciesService,
    private readonly exports: ExportsService,
  ) {}

  @Get()
  @ApiOperation({ summary: 'List the policies of a training run, by step' })
  @ApiOkResponse({ schema: named('PolicyList', policyListSchema) })
  async list(
    @Project() project: string,
    @Query({ schema: policiesQuery }) query: PoliciesQuery,
  ): Promise<List<PolicyDto>> {
    return this.service.list(project, query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Get a policy' })
  @ApiOkResponse(POLICY)
  async get(@Project() project: string, @Param('id') id: string): Promise<PolicyDto> {
    return this.service.get(project, id);
  }

  @VerbRoute(
    ':id/pin',
    {
      summary: 'Keep a policy',
      description:
        'Its files stay whatever retention says, until it is unpinned. A run with pinned policies is not deleted.',
    },
    POLICY,
    'Its files were collected before.',
  )
  async pin(@Project() project: string, @Param('id') id: string): Promise<PolicyDto> {
    return this.service.pin(project, id);
  }

  @VerbRoute(
    ':id/unpin',
    {
      summary: 'Leave a policy to retention again',
      description: 'If nothing else needs it, the next step of its run collects its files.',
    },
    POLICY,
  )
  async unpin(@Project() project: string, @Param('id') id: string): Promise<PolicyDto> {
    return this.service.unpin(project, id);
  }

  @CreateRoute(
    {
      summary: 'Export a policy',
      description:
        'Copies it into files that transformers, PEFT and vLLM load, for download. Meanwhile the policy is kept, and its run is not deleted. The copy depends on neither.',
    },
    { body: named('ExportInput', exportBody, 'input'), called: 'export', becomes: 'export', isOptional: true },
    EXPORT,
    { ...EXPORT, description: 'An earlier request with this key created it.' },
    ':id/export',
  )
  async export(
    @Project() project: string,
    @Param('id') id: string,
    @Body({ schema: exportBody }) body: ExportBody,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ExportDto> {
    await this.service.get(project, id);
    return answerCreation(response, 'v1/exports', await this.exports.export(project, id, body, key));
  }
}
