import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { HeldOutEvaluation } from '../../infra/database/entities/index.js';
import { unknownCursor } from '../common/api-error.js';
import { toList, type IdPageQuery, type List } from '../common/list.dto.js';
import { TrainingRunsService } from '../training-runs/training-runs.service.js';
import { toEvaluationDto, type EvaluationDto } from './evaluation.dto.js';

@Injectable()
export class EvaluationsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly runs: TrainingRunsService,
  ) {}

  /** Of one run, by step, then planner. */
  async list(project: string, runId: string, page: IdPageQuery): Promise<List<EvaluationDto>> {
    await this.runs.requireKnown(project, runId);
    return toList(await this.read(runId, page), page.limit, ({ id }) => id, toEvaluationDto);
  }

  private async read(runId: string, { after, limit }: IdPageQuery): Promise<HeldOutEvaluation[]> {
    const repository = this.dataSource.getRepository(HeldOutEvaluation);
    const query = repository
      .createQueryBuilder('evaluation')
      .where('evaluation.run_id = :runId', { runId })
      .orderBy('evaluation.step')
      .addOrderBy('evaluation.planner')
      .addOrderBy('evaluation.id')
      .limit(limit + 1);
    if (after === undefined) return query.getMany();
    const cursor = await repository.findOneBy({ id: after, runId });
    if (!cursor) throw unknownCursor(`there is no evaluation "${after}".`);
    return query
      .andWhere('(evaluation.step, evaluation.planner, evaluation.id) > (:step, :planner, :id)', cursor)
      .getMany();
  }
}
