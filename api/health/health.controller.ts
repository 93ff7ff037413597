import { Controller, Get, Res, ServiceUnavailableException } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import { HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import type { Response } from 'express';
import { DatabaseHealth } from './database.health.js';
import { TemporalHealth } from './temporal.health.js';

@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly database: DatabaseHealth,
    private readonly temporal: TemporalHealth,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Whether the API and what it depends on work; needs no key' })
  @ApiOkResponse({ description: 'All is up.' })
  @ApiServiceUnavailableResponse({ description: 'Something is down; `error` says what.' })
  async check(@Res({ passthrough: true }) response: Response): Promise<HealthCheckResult> {
    try {
      return await this.health.check([() => this.database.check('database'), () => this.temporal.check('temporal')]);
    } catch (error) {
      if (!(error instanceof ServiceUnavailableException)) throw error;
      response.status(503);
      return error.getResponse() as HealthCheckResult;
    }
  }
}
