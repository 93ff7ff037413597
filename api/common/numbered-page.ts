import { LessThan, MoreThan, type FindOptionsWhere, type Repository } from 'typeorm';
import { unknownCursor } from './api-error.js';
import type { IdPageQuery } from './list.dto.js';

/** A row that is numbered in the order of creation. */
interface Numbered {
  id: string;
  number: number;
}

interface Listed<Row> {
  where: FindOptionsWhere<Row>;
  /** `DESC`: newest first. */
  order: 'ASC' | 'DESC';
  /** As in `key`. */
  noun: string;
  /** The row of a cursor, if whoever asks may know it. */
  find: (id: string) => Promise<Numbered | null>;
}

/**
 * A page of rows in the order of their creation, or against it; one more than `limit`.
 * @throws ApiError 400 if there is no row of the cursor
 */
export async function numberedPage<Row extends Numbered>(
  rows: Repository<Row>,
  { where, order, noun, find }: Listed<Row>,
  { after, limit }: IdPageQuery,
): Promise<Row[]> {
  const last = after === undefined ? undefined : await find(after);
  if (last === null) throw unknownCursor(`there is no ${noun} "${after}".`);
  const beyond = order === 'DESC' ? LessThan : MoreThan;
  return rows.find({
    where: { ...where, ...(last && { number: beyond(last.number) }) },
    order: { number: order } as object,
    take: limit + 1,
  });
}
