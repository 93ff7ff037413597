import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { notFound, unknownCursor } from '../common/api-error.js';
import { toList } from '../common/list.dto.js';
import { daysOf, type Days, type UsageQuery } from './dto/usage.query.js';
import type { UsageDto, UsageReportDto } from './dto/usage-report.dto.js';
import { figuresOf, SUMS, type UsageSum } from './usage-sums.js';

/** What a query looks at: $1 project, $2 and $3 the days, $4 the submission, if one is named. */
const CHOSEN = `usage_entries
  WHERE project = $1 AND at >= $2::date::timestamp AT TIME ZONE 'UTC' AND at < $3::date::timestamp AT TIME ZONE 'UTC'
    AND ($4::text IS NULL OR submission = $4)`;
type Chosen = [project: string, from: string, end: string, submission: string | null];

const TOTAL = `SELECT '' AS key, ${SUMS} FROM ${CHOSEN} GROUP BY kind, name ORDER BY kind, name`;
const BY_DAY = `SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS key, ${SUMS} FROM ${CHOSEN}
  GROUP BY 1, kind, name ORDER BY 1, kind, name`;
/** Those that began to use something last come first: their first entry tells, which is nobody else's. */
const BY_RUN = `WITH chosen AS (SELECT * FROM ${CHOSEN}),
  page AS (
    SELECT submission, min(id) AS first FROM chosen GROUP BY submission
    HAVING $5::bigint IS NULL OR min(id) < $5 ORDER BY first DESC LIMIT $6
  )
  SELECT submission AS key, ${SUMS} FROM chosen JOIN page USING (submission)
  GROUP BY submission, first, kind, name ORDER BY first DESC, kind, name`;
const FIRST = `SELECT min(id) AS first FROM ${CHOSEN} AND submission = $5`;

const KNOWN = ['training_runs', 'agent_flows', 'benchmark_evaluations', 'removals']
  .map((table) => `SELECT 1 FROM ${table} WHERE project = $1 AND id = $2`)
  .join(' UNION ALL ');

@Injectable()
export class UsageService {
  constructor(private readonly dataSource: DataSource) {}

  /** @throws ApiError 400 if the days or the cursor are wrong; 404 if a submission is named that never was there */
  async report(project: string, query: UsageQuery): Promise<UsageReportDto> {
    const { by, limit, run_id: submission = null } = query;
    const days = daysOf(query);
    if (submission !== null) await this.requireKnown(project, submission);
    const chosen: Chosen = [project, days.from, days.end, submission];
    const [sums, all] = await Promise.all([
      by === 'day' ? this.sums(BY_DAY, chosen) : this.sumsByRun(chosen, query),
      this.sums(TOTAL, chosen),
    ]);
    const keys = new Map<string, UsageSum[]>();
    for (const sum of sums) keys.set(sum.key, [...(keys.get(sum.key) ?? []), sum]);
    const entries = [...keys].map(([key, of]) => toUsage(by, key, of));
    const list = toList(entries, by === 'day' ? entries.length : limit, ({ run_id, day }) => run_id ?? day!, asItIs);
    return { ...list, by, ...shown(days), total: figuresOf(all) };
  }

  private async sumsByRun(chosen: Chosen, { after, limit }: UsageQuery): Promise<UsageSum[]> {
    const last = after === undefined ? null : await this.firstEntry(chosen, after);
    return this.sums(BY_RUN, [...chosen, last, limit + 1]);
  }

  private async firstEntry(chosen: Chosen, submission: string): Promise<string> {
    const [{ first }] = await this.dataSource.query<{ first: string | null }[]>(FIRST, [...chosen, submission]);
    if (first === null) throw unknownCursor(`nothing was used for "${submission}" on these days.`);
    return first;
  }

  private async requireKnown(project: string, submission: string): Promise<void> {
    if ((await this.dataSource.query<unknown[]>(KNOWN, [project, submission])).length > 0) return;
    throw notFound('not_found', 'run_id: there is no run, question or evaluation of this id.', { param: 'run_id' });
  }

  private sums(sql: string, parameters: unknown[]): Promise<UsageSum[]> {
    return this.dataSource.query<UsageSum[]>(sql, parameters);
  }
}

function toUsage(by: UsageQuery['by'], key: string, sums: readonly UsageSum[]): UsageDto {
  return { object: 'usage', run_id: by === 'run' ? key : null, day: by === 'day' ? key : null, ...figuresOf(sums) };
}

function shown({ from, to }: Days): Pick<UsageReportDto, 'from' | 'to' | 'time_zone'> {
  return { from, to, time_zone: 'UTC' };
}

function asItIs(usage: UsageDto): UsageDto {
  return usage;
}
