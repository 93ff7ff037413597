import { Inject, Injectable, Logger } from '@nestjs/common';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { OperatorFile } from '../../infra/config/operator-file.js';
import type { BenchmarkEvaluation } from '../../infra/database/entities/index.js';
import { isOver } from '../../infra/database/evaluation-status.js';
import type { EvaluationConfig } from '../../workflows/contracts/evaluation-config.js';
import { conflict, notFound, type ApiIssue } from '../common/api-error.js';
import { readIdempotency } from '../common/idempotency.js';
import type { KnownPolicy } from '../common/known-policies.js';
import { toList, type IdPageQuery, type List } from '../common/list.dto.js';
import { newId } from '../common/new-id.js';
import { OPERATOR } from '../dependencies.module.js';
import { EvaluationWorkflows } from '../temporal/evaluation-workflows.js';
import { BenchmarkEvaluationsRepository } from './benchmark-evaluations.repository.js';
import { toBenchmarkEvaluationDto, type BenchmarkEvaluationDto } from './dto/benchmark-evaluation.dto.js';
import { parseEvaluationConfig, refusedEvaluation } from './parse-evaluation-config.js';

/** Who submits does not wait longer for Temporal: the evaluation is recorded, and the reconciler starts it. */
const START_DEADLINE_MS = 3_000;

@Injectable()
export class BenchmarkEvaluationsService {
  private readonly logger = new Logger(BenchmarkEvaluationsService.name);

  constructor(
    private readonly repository: BenchmarkEvaluationsRepository,
    private readonly workflows: EvaluationWorkflows,
    @Inject(OPERATOR) private readonly operator: OperatorFile,
  ) {}

  /**
   * Records an evaluation as queued and starts its workflow. Where Temporal does not answer, it stays queued and the
   * reconciler starts it later.
   * @param body an evaluation as it was submitted
   * @returns the evaluation, and whether this call created it
   */
  async create(
    project: string,
    body: unknown,
    idempotencyKey?: string,
  ): Promise<{ evaluation: BenchmarkEvaluationDto; created: boolean }> {
    const idempotency = readIdempotency(idempotencyKey, body);
    const config = parseEvaluationConfig(body, this.operator);
    const policies = await this.findPolicies(project, config);
    const id = newId('eval');
    const earlier = await this.repository.create({ id, project, name: config.name, config }, policies, idempotency);
    const stored = await this.load(project, earlier ?? id);
    if (earlier === undefined) await this.tryStart(stored);
    return { evaluation: await this.toDto(stored), created: earlier === undefined };
  }

  async get(project: string, id: string): Promise<BenchmarkEvaluationDto> {
    return this.toDto(await this.load(project, id));
  }

  async list(project: string, page: IdPageQuery): Promise<List<BenchmarkEvaluationDto>> {
    const rows = await this.repository.list(project, page);
    const dtos = await Promise.all(rows.map((row) => this.toDto(row)));
    return toList(
      dtos,
      page.limit,
      ({ id }) => id,
      (dto) => dto,
    );
  }

  /** The workflow ends the evaluation and writes its status; the API writes none. */
  async cancel(project: string, id: string): Promise<BenchmarkEvaluationDto> {
    const evaluation = await this.load(project, id);
    if (isOver(evaluation.status)) throw alreadyEnded(evaluation);
    if (evaluation.status === 'queued') await this.workflows.start(evaluation);
    try {
      await this.workflows.cancel(id);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) throw alreadyEnded(await this.load(project, id));
      throw error;
    }
    return this.toDto(await this.load(project, id));
  }

  /**
   * Before anything runs: the workflow resolves them once more, to their sha256s (I11).
   * @throws ApiError 400 that lists all that are not there, and those of another model
   */
  private async findPolicies(project: string, { policies: names, model }: EvaluationConfig): Promise<KnownPolicy[]> {
    const policies: KnownPolicy[] = [];
    const issues: ApiIssue[] = [];
    for (const [i, name] of names.entries()) {
      if (name === 'base') continue;
      const policy = await this.repository.findPolicy(project, name);
      if (policy?.model === model) {
        policies.push(policy);
        continue;
      }
      const param = `policies[${i}]`;
      const reason = policy
        ? `${name} is a policy of ${policy.model}, not of ${model}`
        : `there is no policy "${name}"`;
      issues.push({ param, message: `${param}: ${reason}` });
    }
    if (issues.length > 0) throw refusedEvaluation(issues);
    return policies;
  }

  /** @throws ApiError 404 also where the evaluation is another project's */
  private async load(project: string, id: string): Promise<BenchmarkEvaluation> {
    const row = await this.repository.find(project, id);
    if (!row) throw notFound('evaluation_not_found', `There is no evaluation "${id}".`, { param: 'id' });
    return row;
  }

  private async toDto(row: BenchmarkEvaluation): Promise<BenchmarkEvaluationDto> {
    return toBenchmarkEvaluationDto(row, await this.repository.countFlows(row.id));
  }

  private async tryStart(evaluation: BenchmarkEvaluation): Promise<void> {
    try {
      await this.workflows.start(evaluation, START_DEADLINE_MS);
    } catch (error) {
      this.logger.warn(`${evaluation.id} stays queued until Temporal answers: ${(error as Error).message}`);
    }
  }
}

function alreadyEnded({ id, status }: BenchmarkEvaluation): Error {
  const state = isOver(status) ? status : `${status}, but its workflow has ended`;
  return conflict('evaluation_ended', `${id} is ${state}; it cannot be cancelled.`, { param: 'id' });
}
