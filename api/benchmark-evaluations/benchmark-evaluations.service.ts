import { Injectable } from '@nestjs/common';
import type { EvaluationConfig } from '../../contracts/evaluation-config.js';
import { checkEvaluationConfig } from '../../infra/config/submitted/check-evaluation-config.js';
import type { Checked } from '../../infra/config/submitted/config-issues.js';
import type { BenchmarkEvaluation } from '../../infra/database/entities/index.js';
import { unknownCursor, type ApiIssue } from '../common/api-error.js';
import { toList, type List } from '../common/list.dto.js';
import type { KnownPolicy } from '../submissions/known-policies.js';
import { ProjectDatasets } from '../submissions/project-datasets.js';
import { datasetsOfEvaluation } from '../../infra/config/submitted/uploads.js';
import { ReconcilerService } from '../submissions/reconciler.service.js';
import { RemovalsService } from '../submissions/removal/removals.service.js';
import type { Draft } from '../submissions/submissions.repository.js';
import { Submissions, type Place } from '../submissions/submissions.js';
import { Workflows, type WorkflowStart } from '../temporal/workflows.js';
import { BenchmarkEvaluationsRepository } from './benchmark-evaluations.repository.js';
import { toAnswerDto, type AnswerDto, type AnswersQuery } from './dto/answer.dto.js';
import { toBenchmarkEvaluationDto, type BenchmarkEvaluationDto } from './dto/benchmark-evaluation.dto.js';
import { startOfEvaluation } from './start-evaluation.js';

@Injectable()
export class BenchmarkEvaluationsService extends Submissions<
  BenchmarkEvaluation,
  BenchmarkEvaluationDto,
  EvaluationConfig
> {
  constructor(
    private readonly evaluations: BenchmarkEvaluationsRepository,
    workflows: Workflows,
    reconciler: ReconcilerService,
    removals: RemovalsService,
    private readonly datasets: ProjectDatasets,
  ) {
    super(
      {
        noun: 'evaluation',
        workflow: 'benchmarkEvaluation',
        body: 'an evaluation',
        invalid: 'invalid_evaluation',
        refused: 'The evaluation cannot be accepted',
        prefix: 'eval',
        notFound: 'evaluation_not_found',
        ended: 'evaluation_ended',
        revive: (id) => `npx agentflow eval --id ${id} --revive`,
        kept: () => 'What its agent flows did stays.',
      },
      evaluations,
      workflows,
      removals,
    );
    reconciler.add(this);
  }

  /** What its flows answered so far, and what came of it. */
  async listAnswers(project: string, id: string, query: AnswersQuery): Promise<List<AnswerDto>> {
    const evaluation = await this.load(project, id);
    const rows = await this.evaluations.listAnswers(id, query);
    if (!rows) throw unknownCursor(`${id} has no flow "${query.after}".`);
    return toList(
      rows,
      query.limit,
      ({ flowId }) => flowId,
      (row) => toAnswerDto(evaluation, row),
    );
  }

  protected override async check(body: unknown, project: string): Promise<Checked<EvaluationConfig>> {
    return this.datasets.check(project, (registered) => checkEvaluationConfig(body, registered), datasetsOfEvaluation);
  }

  protected override async draft(place: Place, config: EvaluationConfig): Promise<Draft<BenchmarkEvaluation>> {
    const policies = await this.findPolicies(place.project, config);
    return { row: { ...place, name: config.name, config, report: null }, policies };
  }

  protected override startOf(row: BenchmarkEvaluation): WorkflowStart {
    return startOfEvaluation(row);
  }

  protected override async toDto(row: BenchmarkEvaluation): Promise<BenchmarkEvaluationDto> {
    return toBenchmarkEvaluationDto(row, await this.evaluations.countFlows(row.id));
  }

  /**
   * Before anything runs: the workflow resolves them once more, to their sha256s (I11).
   * @throws ApiError 400 that lists all that are not there, and those of another model
   */
  private async findPolicies(
    project: string,
    { policies: names, model }: EvaluationConfig,
  ): Promise<Draft<BenchmarkEvaluation>['policies']> {
    const policies: { param: string; policy: KnownPolicy }[] = [];
    const issues: ApiIssue[] = [];
    for (const [i, name] of names.entries()) {
      if (name === 'base') continue;
      const policy = await this.evaluations.findPolicy(project, name);
      if (policy?.model === model) {
        policies.push({ param: 'policies', policy });
        continue;
      }
      const param = `policies[${i}]`;
      const reason = policy
        ? `${name} is a policy of ${policy.model}, not of ${model}`
        : `there is no policy "${name}"`;
      issues.push({ param, message: `${param}: ${reason}` });
    }
    if (issues.length > 0) throw this.refused(issues);
    return policies;
  }
}
