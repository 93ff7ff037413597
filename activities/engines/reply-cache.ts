import type { DataSource } from 'typeorm';
import { canonicalJson } from '../../infra/artifacts/canonical-json.js';
import { sha256Hex } from '../../infra/artifacts/sha256.js';
import { CachedReply } from '../../infra/database/entities/index.js';
import type { LanguageModel, LanguageModelReply, LanguageModelRequest } from './llm/language-model.js';

/** Replies to frozen modules and tools, by everything that a reply depends on. */
export class ReplyCache {
  constructor(private readonly dataSource: DataSource) {}

  /** What was replied to an equal request; it took no time and cost nothing. */
  async find(model: LanguageModel, request: LanguageModelRequest): Promise<LanguageModelReply | undefined> {
    const row = await this.dataSource.getRepository(CachedReply).findOneBy({ sha256: keyOf(model, request) });
    if (!row) return undefined;
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
}

/** Greedy replies do not depend on the seed. How long a reply may take changes none. */
function keyOf(model: LanguageModel, { timeoutMs: _, seed, ...request }: LanguageModelRequest): string {
  return sha256Hex(canonicalJson({ model: model.identity, ...request, ...(request.temperature > 0 && { seed }) }));
}
