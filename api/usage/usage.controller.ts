import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Project } from '../auth/project.decorator.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { named } from '../common/json-schema.js';
import { usageReportSchema, type UsageReportDto } from './dto/usage-report.dto.js';
import { usageQuery, type UsageQuery } from './dto/usage.query.js';
import { UsageService } from './usage.service.js';

@ApiTags('usage')
@ApiErrorResponses()
@Controller('v1/usage')
export class UsageController {
  constructor(private readonly service: UsageService) {}

  @Get()
  @ApiOperation({
    summary: 'Tell what the project has used: tokens, money, tool calls, seconds of the trainer',
    description:
      'By run, the one that began last first, or by day, in UTC. Each call counts on the day on which it was recorded, ' +
      'also if what it was made for is deleted.',
  })
  @ApiOkResponse({ schema: named('UsageReport', usageReportSchema) })
  async report(@Project() project: string, @Query({ schema: usageQuery }) query: UsageQuery): Promise<UsageReportDto> {
    return this.service.report(project, query);
  }
}
