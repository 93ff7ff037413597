import type { SelectQueryBuilder } from 'typeorm';
import type { Rollout } from '../../infra/database/entities/index.js';

/** What rollouts can be sorted by: `-` stands before what is sorted from its largest value down. */
export const SORTS = ['reward', '-reward', 'advantage', '-advantage'] as const;
export type Sort = (typeof SORTS)[number];

/** After which rollout a page begins, with the value that it had then: it may have another by now. */
interface Cursor {
  value: number | null;
  flowId: string;
}

type After = Cursor & Pick<Rollout, 'step' | 'groupIndex' | 'rolloutIndex'>;

const PLACE = ['step', 'groupIndex', 'rolloutIndex', 'flowId'] as const;

/** As in `-reward:0.5:run-abc/3/0/1`. */
export function toCursor(sort: Sort, rollout: Rollout): string {
  return `${sort}:${rollout[columnOf(sort)]}:${rollout.flowId}`;
}

/** @returns nothing for a text that is no cursor of this sort */
export function readCursor(sort: Sort, text: string): Cursor | undefined {
  const [, of, value = '', flowId = ''] = /^([^:]+):([^:]+):(.+)$/s.exec(text) ?? [];
  if (of !== sort) return undefined;
  if (value === 'null') return { value: null, flowId };
  return Number.isFinite(Number(value)) ? { value: Number(value), flowId } : undefined;
}

/**
 * A page in the order of a sort; one more than `limit`. What has no value comes last in both directions: it is read by
 * itself, so that one index serves both.
 * @param query makes the query of the rollouts that are wanted, in no order
 */
export async function readSorted(
  query: () => SelectQueryBuilder<Rollout>,
  sort: Sort,
  limit: number,
  after?: After,
): Promise<Rollout[]> {
  const valued = after?.value === null ? [] : await part(query(), sort, limit + 1, 'IS NOT NULL', after);
  const left = limit + 1 - valued.length;
  if (left === 0) return valued;
  const rest = await part(query(), sort, left, 'IS NULL', after?.value === null ? after : undefined);
  return [...valued, ...rest];
}

function part(
  query: SelectQueryBuilder<Rollout>,
  sort: Sort,
  limit: number,
  are: 'IS NULL' | 'IS NOT NULL',
  after?: After,
): Promise<Rollout[]> {
  const column = columnOf(sort);
  const [direction, beyond] = sort.startsWith('-') ? (['DESC', '<'] as const) : (['ASC', '>'] as const);
  query.andWhere(`rollout.${column} ${are}`).limit(limit);
  for (const name of [column, ...PLACE]) query.addOrderBy(`rollout.${name}`, direction);
  if (!after) return query.getMany();
  const compared = after.value === null ? PLACE : (['value', ...PLACE] as const);
  const columns = compared.map((name) => `rollout.${name === 'value' ? column : name}`);
  const values = compared.map((name) => `:${name}`);
  return query.andWhere(`(${columns.join(', ')}) ${beyond} (${values.join(', ')})`, after).getMany();
}

function columnOf(sort: Sort): 'reward' | 'advantage' {
  return sort.endsWith('reward') ? 'reward' : 'advantage';
}
