import { Injectable } from '@nestjs/common';
import { DataSource, type SelectQueryBuilder } from 'typeorm';
import { Rollout, TrainingRun, Turn } from '../../infra/database/entities/index.js';
import { notFound, unknownCursor } from '../common/api-error.js';
import { toList, type IdPageQuery, type List } from '../common/list.dto.js';
import { inOrder } from '../common/turn-order.js';
import { TrainingRunsService } from '../training-runs/training-runs.service.js';
import { toRolloutDto, type RolloutDto } from './rollout.dto.js';
import { CONDITIONS, type RolloutsQuery } from './rollouts.query.js';
import { readCursor, readSorted, toCursor, type Sort } from './sorted-rollouts.js';
import { toTurnDto, type RolloutWithTurnsDto, type TurnDto } from './turn.dto.js';

const POSITION = '(rollout.purpose, rollout.step, rollout.group_index, rollout.rollout_index, rollout.flow_id)';

@Injectable()
export class RolloutsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly runs: TrainingRunsService,
  ) {}

  /** Of one run, by purpose, step, group and rollout, or as the query sorts them. */
  async list(project: string, query: RolloutsQuery): Promise<List<RolloutDto>> {
    await this.runs.requireKnown(project, query.run_id);
    const { sort, limit } = query;
    if (sort === undefined) return toList(await this.read(query), limit, ({ flowId }) => flowId, toRolloutDto);
    return toList(await this.readSorted(sort, query), limit, (row) => toCursor(sort, row), toRolloutDto);
  }

  /** A rollout with what each agent module did in each turn. */
  async get(project: string, flowId: string): Promise<RolloutWithTurnsDto> {
    const rollout = await this.load(project, flowId);
    const turns = inOrder(await this.dataSource.getRepository(Turn).findBy({ flowId }));
    return { ...toRolloutDto(rollout), turn_records: turns.map(toTurnDto) };
  }

  /** What each agent module did, in pages. Their order is told from their keys; prompts and tokens are read of a page alone. */
  async listTurns(project: string, id: string, { after, limit }: IdPageQuery): Promise<List<TurnDto>> {
    const { flowId } = await this.load(project, id);
    const repository = this.dataSource.getRepository(Turn);
    const keys = inOrder(
      await repository.find({ select: { flowId: true, turn: true, module: true }, where: { flowId } }),
    );
    const last = keys.findIndex((key) => cursorOf(key) === after);
    if (after !== undefined && last < 0) throw unknownCursor(`${flowId} has no turn "${after}".`);
    const page = keys.slice(last + 1, last + 2 + limit).map(({ turn, module }) => ({ flowId, turn, module }));
    const rows = page.length === 0 ? [] : await repository.findBy(page);
    return toList(inOrder(rows), limit, cursorOf, toTurnDto);
  }

  /** @throws ApiError 404, also if it is of another project's run */
  private async load(project: string, flowId: string): Promise<Rollout> {
    const rollout = await this.dataSource
      .getRepository(Rollout)
      .createQueryBuilder('rollout')
      .innerJoin(TrainingRun, 'run', 'run.id = rollout.run_id AND run.project = :project', { project })
      .where('rollout.flow_id = :flowId', { flowId })
      .getOne();
    if (!rollout) throw notFound('rollout_not_found', `There is no finished rollout "${flowId}".`, { param: 'id' });
    return rollout;
  }

  private async read(asked: RolloutsQuery): Promise<Rollout[]> {
    const { after, limit } = asked;
    const query = this.query(asked)
      .orderBy('rollout.purpose')
      .addOrderBy('rollout.step')
      .addOrderBy('rollout.groupIndex')
      .addOrderBy('rollout.rolloutIndex')
      .addOrderBy('rollout.flowId')
      .limit(limit + 1);
    if (after === undefined) return query.getMany();
    const cursor = await this.rolloutOf(asked, after);
    if (!cursor) throw unknownCursor(`there is no rollout "${after}".`);
    return query.andWhere(`${POSITION} > (:purpose, :step, :groupIndex, :rolloutIndex, :flowId)`, cursor).getMany();
  }

  private async readSorted(sort: Sort, asked: RolloutsQuery): Promise<Rollout[]> {
    const { after, limit } = asked;
    if (after === undefined) return readSorted(() => this.query(asked), sort, limit);
    const cursor = readCursor(sort, after);
    const rollout = cursor && (await this.rolloutOf(asked, cursor.flowId));
    if (!rollout) throw unknownCursor(`"${after}" is no last_id of this list sorted by ${sort}. Begin it anew.`);
    return readSorted(() => this.query(asked), sort, limit, { ...rollout, ...cursor });
  }

  private async rolloutOf({ run_id }: RolloutsQuery, flowId: string): Promise<Rollout | null> {
    return this.dataSource.getRepository(Rollout).findOneBy({ flowId, submissionId: run_id });
  }

  /** Those that all filters let pass, in no order. */
  private query(asked: RolloutsQuery): SelectQueryBuilder<Rollout> {
    const { run_id, purpose, step, group, outcome } = asked;
    const query = this.dataSource
      .getRepository(Rollout)
      .createQueryBuilder('rollout')
      .where(given({ submissionId: run_id, purpose, step, groupIndex: group, outcome }));
    for (const [name, condition] of Object.entries(CONDITIONS)) {
      const value = asked[name as keyof typeof CONDITIONS];
      if (value !== undefined) query.andWhere(condition, { [name]: value });
    }
    return query;
  }
}

/** What stands for a turn's row in a list: as in `1/planner`. */
function cursorOf({ turn, module }: Pick<Turn, 'turn' | 'module'>): string {
  return `${turn}/${module}`;
}

/** Leaves out undefined values, which TypeORM refuses as conditions. */
function given(conditions: Partial<Record<keyof Rollout, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(conditions).filter(([, value]) => value !== undefined));
}
