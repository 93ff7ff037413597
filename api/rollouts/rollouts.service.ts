import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Rollout, TrainingRun, Turn } from '../../infra/database/entities/index.js';
import { badRequest, notFound } from '../common/api-error.js';
import { toList, type List } from '../common/list.dto.js';
import { inOrder } from '../common/turn-order.js';
import { TrainingRunsService } from '../training-runs/training-runs.service.js';
import { toRolloutDto, type RolloutDto } from './rollout.dto.js';
import { CONDITIONS, type RolloutsQuery } from './rollouts.query.js';
import { toTurnDto, type RolloutWithTurnsDto } from './turn.dto.js';

const POSITION = '(rollout.purpose, rollout.step, rollout.group_index, rollout.rollout_index, rollout.flow_id)';

@Injectable()
export class RolloutsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly runs: TrainingRunsService,
  ) {}

  /** Of one run, by purpose, step, group and rollout. */
  async list(project: string, query: RolloutsQuery): Promise<List<RolloutDto>> {
    await this.runs.load(project, query.run_id);
    return toList(await this.read(query), query.limit, ({ flowId }) => flowId, toRolloutDto);
  }

  /** A rollout with what each agent module did in each turn. */
  async get(project: string, flowId: string): Promise<RolloutWithTurnsDto> {
    const rollout = await this.dataSource
      .getRepository(Rollout)
      .createQueryBuilder('rollout')
      .innerJoin(TrainingRun, 'run', 'run.id = rollout.run_id AND run.project = :project', { project })
      .where('rollout.flow_id = :flowId', { flowId })
      .getOne();
    if (!rollout) throw notFound('rollout_not_found', `There is no finished rollout "${flowId}".`, { param: 'id' });
    const turns = inOrder(await this.dataSource.getRepository(Turn).findBy({ flowId }));
    return { ...toRolloutDto(rollout), turn_records: turns.map(toTurnDto) };
  }

  private async read(asked: RolloutsQuery): Promise<Rollout[]> {
    const { run_id, purpose, step, group, outcome, after, limit } = asked;
    const repository = this.dataSource.getRepository(Rollout);
    const query = repository
      .createQueryBuilder('rollout')
      .where(given({ submissionId: run_id, purpose, step, groupIndex: group, outcome }))
      .orderBy('rollout.purpose')
      .addOrderBy('rollout.step')
      .addOrderBy('rollout.groupIndex')
      .addOrderBy('rollout.rolloutIndex')
      .addOrderBy('rollout.flowId')
      .limit(limit + 1);
    for (const [name, condition] of Object.entries(CONDITIONS)) {
      const value = asked[name as keyof typeof CONDITIONS];
      if (value !== undefined) query.andWhere(condition, { [name]: value });
    }
    if (after === undefined) return query.getMany();
    const cursor = await repository.findOneBy({ flowId: after, submissionId: run_id });
    if (!cursor) throw badRequest('unknown_cursor', `after: there is no rollout "${after}".`, { param: 'after' });
    return query.andWhere(`${POSITION} > (:purpose, :step, :groupIndex, :rolloutIndex, :flowId)`, cursor).getMany();
  }
}

/** Leaves out undefined values, which TypeORM refuses as conditions. */
function given(conditions: Partial<Record<keyof Rollout, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(conditions).filter(([, value]) => value !== undefined));
}
