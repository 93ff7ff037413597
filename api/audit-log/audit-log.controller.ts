import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { ApiKey } from '../../infra/database/entities/index.js';
import { Caller } from '../auth/project.decorator.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { named } from '../common/json-schema.js';
import type { List } from '../common/list.dto.js';
import { auditLogQuery, auditLogSchema, type AuditEntryDto, type AuditLogQuery } from './audit-entry.dto.js';
import { AuditLogService } from './audit-log.service.js';

@ApiTags('audit log')
@ApiErrorResponses()
@Controller('v1/audit_log')
export class AuditLogController {
  constructor(private readonly service: AuditLogService) {}

  @Get()
  @ApiOperation({
    summary: 'List the requests that could change something, newest first',
    description:
      'Needs `admin`. Every request but GET, HEAD and OPTIONS, those that were refused too: who, what, when, from where. ' +
      'For an admin of the project `default`, of all projects, and of requests without a key that was ever made here.',
  })
  @ApiOkResponse({ schema: named('AuditLog', auditLogSchema) })
  async list(
    @Caller() caller: ApiKey,
    @Query({ schema: auditLogQuery }) query: AuditLogQuery,
  ): Promise<List<AuditEntryDto>> {
    return this.service.list(caller, query);
  }
}
