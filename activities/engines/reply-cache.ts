import type { DataSource } from 'typeorm';
import { canonicalJson } from '../../infra/artifacts/canonical-json.js';
import { sha256Hex } from '../../infra/artifacts/sha256.js';
import { CachedReply } from '../../infra/database/entities/index.js';
import type { LanguageModel, LanguageModelReply, LanguageModelRequest } from './llm/language-model.js';

/** Of a few kilobytes each. */
const MAX_REPLIES = 200_000;

/** Replies to frozen modules and tools, by everything that a reply depends on. */
export class ReplyCache {
  constructor(private readonly dataSource: DataSource) {}

  /** What was replied to an equal request; it took no time and cost nothing. */
  async find(model: LanguageModel, request: LanguageModelRequest): Promise<LanguageModelReply | undefined> {
    const row = await this.dataSource.getRepository(CachedReply).findOneBy({ sha256: keyOf(model, request) });
    if (!row) return undefined;
    await this.dataSource.query(
      "UPDATE cached_replies SET used_at = now() WHERE sha256 = $1 AND used_at < now() - interval '1 hour'",
      [row.sha256],
    );
    return { ...(row.reply as LanguageModelReply), cost: undefined, seconds: 0 };
  }

  /** A reply that a filter or an error cut short is not kept. */
  async keep(model: LanguageModel, request: LanguageModelRequest, reply: LanguageModelReply): Promise<void> {
    if (reply.finishReason !== 'stop' && reply.finishReason !== 'length') return;
    await this.dataSource
      .createQueryBuilder()
      .insert()
      .into(CachedReply)
      .values({ sha256: keyOf(model, request), reply: { ...reply } })
      .orIgnore()
      .updateEntity(false)
      .execute();
  }

  /**
   * Removes the longest unused of too many replies; never one that was used since the oldest unfinished run, flow or
   * evaluation began. So a run finds again whatever it was told before, after a kill and on every later question, and
   * ends with equal bytes; a reply that it has never asked for is to it as in a cache that is new.
   */
  async trim(maxReplies = MAX_REPLIES): Promise<void> {
    await this.dataSource.query(
      `DELETE FROM cached_replies WHERE sha256 IN (
        SELECT sha256 FROM cached_replies
        WHERE used_at < (
          SELECT LEAST(now(), min(created_at)) - interval '1 hour' FROM (
            SELECT created_at FROM training_runs WHERE finished_at IS NULL
            UNION ALL SELECT created_at FROM agent_flows WHERE finished_at IS NULL
            UNION ALL SELECT created_at FROM benchmark_evaluations WHERE finished_at IS NULL
          ) AS unfinished
        )
        ORDER BY used_at, sha256
        LIMIT GREATEST(0, (SELECT count(*) FROM cached_replies) - $1::bigint)
      )`,
      [maxReplies],
    );
  }
}

/** Greedy replies do not depend on the seed. How long a reply may take changes none. */
function keyOf(model: LanguageModel, { timeoutMs: _, seed, ...request }: LanguageModelRequest): string {
  return sha256Hex(canonicalJson({ model: model.identity, ...request, ...(request.temperature > 0 && { seed }) }));
}
