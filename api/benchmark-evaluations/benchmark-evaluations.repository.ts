import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ArtifactStore } from '../../infra/artifacts/artifact-store.js';
import type { Grade } from '../../contracts/scoring.js';
import { BenchmarkEvaluation, Rollout } from '../../infra/database/entities/index.js';
import { namedPolicy, type NamedRun } from '../submissions/known-policies.js';
import type { AnswersQuery } from './dto/answer.dto.js';
import { ARTIFACTS } from '../dependencies.module.js';
import { datasetsOfEvaluation, type NamedDataset } from '../../infra/config/submitted/uploads.js';
import { SubmissionsRepository, type NewRow } from '../submissions/submissions.repository.js';

/** As isUndecided() says it of a row. */
const UNDECIDED = `answer.grading->>'rules' = 'undecided'
  AND answer.grading->'judge' IS NULL AND answer.grading->'rewardF1' IS NULL`;
const CONDITIONS: Record<Grade, string> = {
  excluded: 'answer.reward IS NULL',
  undecided: `answer.reward IS NOT NULL AND ${UNDECIDED}`,
  right: `answer.reward = 1 AND (${UNDECIDED}) IS NOT TRUE`,
  wrong: `answer.reward <> 1 AND (${UNDECIDED}) IS NOT TRUE`,
};

@Injectable()
export class BenchmarkEvaluationsRepository extends SubmissionsRepository<BenchmarkEvaluation> {
  constructor(dataSource: DataSource, @Inject(ARTIFACTS) artifacts: ArtifactStore) {
    super(dataSource, artifacts, BenchmarkEvaluation);
  }

  /** Flows that have ended so far. */
  async countFlows(id: string): Promise<number> {
    return this.dataSource.getRepository(Rollout).countBy({ submissionId: id });
  }

  /**
   * The flows of an evaluation that have ended, by cell, question and trial; one more than `limit`.
   * @returns undefined if there is no flow with the id of the cursor
   */
  async listAnswers(id: string, { after, limit, grade, cell }: AnswersQuery): Promise<Rollout[] | undefined> {
    const repository = this.dataSource.getRepository(Rollout);
    const query = repository
      .createQueryBuilder('answer')
      .where({ submissionId: id, ...(cell !== undefined && { step: cell }) })
      .orderBy({ 'answer.step': 'ASC', 'answer.group_index': 'ASC', 'answer.rollout_index': 'ASC' })
      .limit(limit + 1);
    if (grade !== undefined) query.andWhere(`(${CONDITIONS[grade]})`);
    if (after === undefined) return query.getMany();
    const last = await repository.findOneBy({ submissionId: id, flowId: after });
    if (!last) return undefined;
    const place = '(answer.step, answer.group_index, answer.rollout_index)';
    return query.andWhere(`${place} > (:step, :groupIndex, :rolloutIndex)`, last).getMany();
  }

  protected override datasetsIn({ config }: NewRow<BenchmarkEvaluation>): NamedDataset[] {
    return datasetsOfEvaluation(config);
  }

  protected override namedBy({ config }: NewRow<BenchmarkEvaluation>): NamedRun[] {
    return config.policies.filter((policy) => policy !== 'base').map((policy) => namedPolicy('policies', policy));
  }
}
