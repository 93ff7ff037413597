import { Inject, Injectable, Logger } from '@nestjs/common';
import type { OperatorFile } from '../../infra/config/operator-file.js';
import type { TrainingRun } from '../../infra/database/entities/index.js';
import type { RunConfig } from '../../workflows/contracts/run-config.js';
import { notFound, type ApiIssue } from '../common/api-error.js';
import { readIdempotency, sha256Of } from '../common/idempotency.js';
import type { KnownPolicy } from '../common/known-policies.js';
import { toList, type IdPageQuery, type List, type NumberPageQuery } from '../common/list.dto.js';
import { newId } from '../common/new-id.js';
import { OPERATOR } from '../dependencies.module.js';
import { RunWorkflows } from '../temporal/run-workflows.js';
import { namedRuns, type NamedRun } from './config/named-runs.js';
import { parseRunConfig, refusedConfig } from './config/parse-run-config.js';
import { toCheckpointDto, type CheckpointDto } from './dto/checkpoint.dto.js';
import { toTrainingRunDto, type TrainingRunDto } from './dto/training-run.dto.js';
import { toTrainingStepDto, type TrainingStepDto } from './dto/training-step.dto.js';
import { TrainingRunsRepository, type NewTrainingRun } from './training-runs.repository.js';

/** A submitter does not wait longer for Temporal: the run is recorded, and the reconciler starts it. */
const START_DEADLINE_MS = 3_000;

@Injectable()
export class TrainingRunsService {
  private readonly logger = new Logger(TrainingRunsService.name);

  constructor(
    private readonly repository: TrainingRunsRepository,
    private readonly workflows: RunWorkflows,
    @Inject(OPERATOR) private readonly operator: OperatorFile,
  ) {}

  /**
   * Records a run as queued and starts its workflow. Where Temporal does not answer, the run stays queued and the
   * reconciler starts it later.
   * @param body a run configuration as it was submitted
   * @returns the run, and whether this call created it
   */
  async create(
    project: string,
    body: unknown,
    idempotencyKey?: string,
  ): Promise<{ run: TrainingRunDto; created: boolean }> {
    const idempotency = readIdempotency(idempotencyKey, body);
    const config = parseRunConfig(body, this.operator);
    const policies = await this.findNamed(project, config);
    const { name, steps } = config;
    const run: NewTrainingRun = { id: newId('run'), project, name, steps, config, configSha256: sha256Of(config) };
    const earlier = await this.repository.create(run, policies, idempotency);
    const stored = await this.load(project, earlier ?? run.id);
    if (!earlier) await this.tryStart(stored);
    return { run: toTrainingRunDto(stored), created: !earlier };
  }

  async get(project: string, id: string): Promise<TrainingRunDto> {
    return toTrainingRunDto(await this.load(project, id));
  }

  async list(project: string, page: IdPageQuery): Promise<List<TrainingRunDto>> {
    return toList(await this.repository.list(project, page), page.limit, ({ id }) => id, toTrainingRunDto);
  }

  async listSteps(project: string, id: string, page: NumberPageQuery): Promise<List<TrainingStepDto>> {
    await this.load(project, id);
    const rows = await this.repository.listSteps(id, page);
    return toList(rows, page.limit, ({ step }) => String(step), toTrainingStepDto);
  }

  async listCheckpoints(project: string, id: string, page: NumberPageQuery): Promise<List<CheckpointDto>> {
    await this.load(project, id);
    const rows = await this.repository.listCheckpoints(id, page);
    return toList(rows, page.limit, ({ step }) => String(step), toCheckpointDto);
  }

  /** @throws ApiError 404 also where the run is another project's */
  async load(project: string, id: string): Promise<TrainingRun> {
    const run = await this.repository.find(project, id);
    if (!run) throw notFound('training_run_not_found', `There is no training run "${id}".`, { param: 'id' });
    return run;
  }

  /**
   * The policies that a configuration names, each of a run of the project: another project's run is none to name.
   * @throws ApiError 400 that lists all that are not there
   */
  private async findNamed(project: string, config: RunConfig): Promise<Map<string, KnownPolicy>> {
    const policies = new Map<string, KnownPolicy>();
    const issues: ApiIssue[] = [];
    for (const named of namedRuns(config)) {
      const found = await this.findOne(project, named);
      if (typeof found === 'string') issues.push({ param: named.param, message: `${named.param}: ${found}` });
      else if (found) policies.set(named.param, found);
    }
    if (issues.length > 0) throw refusedConfig(issues);
    return policies;
  }

  /** @returns the named policy, nothing where a run alone was named, or what is not there */
  private async findOne(project: string, { run, policy }: NamedRun): Promise<KnownPolicy | string | undefined> {
    const named = await this.repository.find(project, run);
    if (!named) return `there is no training run "${run}".`;
    if (policy === undefined) return undefined;
    const found = await this.repository.findPolicy(project, policy);
    return found ?? `there is no policy "${policy}": ${run} has got to step ${named.step}.`;
  }

  private async tryStart(run: TrainingRun): Promise<void> {
    try {
      await this.workflows.start(run, START_DEADLINE_MS);
    } catch (error) {
      this.logger.warn(`${run.id} stays queued until Temporal answers: ${(error as Error).message}`);
    }
  }
}
