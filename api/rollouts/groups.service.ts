import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { unknownCursor } from '../common/api-error.js';
import { toList, type List } from '../common/list.dto.js';
import { TrainingRunsService } from '../training-runs/training-runs.service.js';
import type { GroupDto, GroupsQuery } from './group.dto.js';

/** The groups of run $1, of step $2 if it is given, after group $4 of step $3. */
export const GROUPS = `
  SELECT run_id || '/' || step || '/' || group_index AS id, 'group' AS object, run_id, step, group_index AS "group",
    min(query_id) AS query_id, min(family) AS family, min(question) AS question,
    count(reward)::int AS scored, (count(*) - count(reward))::int AS excluded,
    avg(reward) AS reward_mean, stddev_samp(reward) AS reward_std,
    jsonb_agg(
      jsonb_build_object('id', flow_id, 'outcome', outcome, 'reward', reward, 'advantage', advantage)
      ORDER BY rollout_index
    ) AS rollouts
  FROM rollouts
  WHERE run_id = $1 AND purpose = 'train' AND ($2::int IS NULL OR step = $2) AND (step, group_index) > ($3, $4)
  GROUP BY run_id, step, group_index
  ORDER BY step, group_index
  LIMIT $5`;

/** Stands before every group. */
const BEGINNING = [-1, -1];

@Injectable()
export class GroupsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly runs: TrainingRunsService,
  ) {}

  /** Of one run, by step and group, as its finished rollouts are now. */
  async list(project: string, { run_id, step, after, limit }: GroupsQuery): Promise<List<GroupDto>> {
    await this.runs.requireKnown(project, run_id);
    const place = after === undefined ? BEGINNING : placeOf(run_id, after);
    const rows = await this.dataSource.query<GroupDto[]>(GROUPS, [run_id, step, ...place, limit + 1]);
    return toList(
      rows,
      limit,
      ({ id }) => id,
      (row) => row,
    );
  }
}

/**
 * Step and number of a group of a run, from its id.
 * @throws ApiError 400
 */
function placeOf(runId: string, id: string): number[] {
  const place = /^\/(\d{1,9})\/(\d{1,9})$/.exec(id.startsWith(runId) ? id.slice(runId.length) : '');
  if (!place) throw unknownCursor(`"${id}" is no group of ${runId}.`);
  return [Number(place[1]), Number(place[2])];
}
