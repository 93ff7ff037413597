import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { RunWorkflows } from '../temporal/run-workflows.js';

const DEADLINE_MS = 2_000;

@Injectable()
export class TemporalHealth {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly workflows: RunWorkflows,
  ) {}

  async check(key: string): Promise<HealthIndicatorResult> {
    const indicator = this.indicators.check(key);
    try {
      await this.workflows.ping(DEADLINE_MS);
      return indicator.up();
    } catch {
      return indicator.down({ message: 'The Temporal server does not answer.' });
    }
  }
}
