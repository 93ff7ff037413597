import { Controller, Get, Res, ServiceUnavailableException } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import { HealthCheckService, HealthIndicatorService, type HealthCheckResult } from '@nestjs/terminus';
import type { Response } from 'express';
import { DataSource } from 'typeorm';
import { Workflows } from '../temporal/workflows.js';
import { HEALTH_DEADLINE_MS, PartHealth } from './part-health.js';

@ApiTags('health')
@Controller('health')
export class HealthController {
  private readonly parts: PartHealth[];

  constructor(
    private readonly health: HealthCheckService,
    indicators: HealthIndicatorService,
    dataSource: DataSource,
    workflows: Workflows,
  ) {
    this.parts = [
      new PartHealth(indicators, 'database', 'The database', () => dataSource.query('SELECT 1')),
      new PartHealth(indicators, 'temporal', 'The Temporal server', () => workflows.ping(HEALTH_DEADLINE_MS)),
    ];
  }

  @Get()
  @ApiOperation({ summary: 'Whether the API and what it depends on work; needs no key', security: [] })
  @ApiOkResponse({ description: 'All is up.' })
  @ApiServiceUnavailableResponse({ description: 'Something is down; `error` says what.' })
  async check(@Res({ passthrough: true }) response: Response): Promise<HealthCheckResult> {
    try {
      return await this.health.check(this.parts.map((part) => () => part.check()));
    } catch (error) {
      if (!(error instanceof ServiceUnavailableException)) throw error;
      response.status(503);
      return error.getResponse() as HealthCheckResult;
    }
  }
}
