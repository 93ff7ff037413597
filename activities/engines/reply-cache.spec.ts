import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CachedReply, TrainingRun } from '../../infra/database/entities/index.js';
import { createTestDatabase, type TestDatabase } from '../../infra/database/testing/test-database.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import type { LanguageModel, LanguageModelReply, LanguageModelRequest } from './llm/language-model.js';
import { ReplyCache } from './reply-cache.js';

const MODEL = { identity: { provider: 'test', model: 'test' } } as unknown as LanguageModel;
const REPLY = { text: 'yes', finishReason: 'stop', seconds: 1 } as unknown as LanguageModelReply;
const request = (text: string) =>
  ({
    messages: [{ role: 'user', content: text }],
    temperature: 0,
    maxTokens: 8,
    seed: 1,
  }) as unknown as LanguageModelRequest;

describe(ReplyCache, () => {
  let database: TestDatabase;
  let cache: ReplyCache;

  beforeAll(async () => {
    database = await createTestDatabase();
    cache = new ReplyCache(database.dataSource);
  });
  afterAll(async () => database.drop());

  beforeEach(async () => {
    await database.dataSource.query('TRUNCATE cached_replies');
    await database.dataSource.query('DELETE FROM training_runs');
  });

  /** Keeps a reply that was used last so many days ago. */
  async function keep(text: string, daysAgo: number): Promise<void> {
    const before = await database.dataSource.getRepository(CachedReply).find();
    await cache.keep(MODEL, request(text), REPLY);
    const known = new Set(before.map(({ sha256 }) => sha256));
    const [added] = (await database.dataSource.getRepository(CachedReply).find()).filter(
      (row) => !known.has(row.sha256),
    );
    const usedAt = new Date(Date.now() - daysAgo * 86_400_000);
    await database.dataSource.getRepository(CachedReply).update({ sha256: added.sha256 }, { usedAt });
  }

  const kept = async (...texts: string[]) => {
    const found = await Promise.all(texts.map((text) => cache.find(MODEL, request(text))));
    return texts.filter((_, index) => found[index]);
  };

  it('removes the longest unused of too many, and a use counts', async () => {
    for (const [text, days] of [
      ['a', 5],
      ['b', 4],
      ['c', 3],
      ['d', 2],
    ] as const)
      await keep(text, days);
    await cache.trim(4);
    expect(await kept('a')).toEqual(['a']); // used now
    await cache.trim(2);
    expect(await kept('a', 'b', 'c', 'd')).toEqual(['a', 'd']);
  });

  it('keeps whatever an unfinished run may have used, however many there are', async () => {
    await database.dataSource.getRepository(TrainingRun).insert(trainingRunRow());
    await database.dataSource.query("UPDATE training_runs SET created_at = now() - interval '72 hours 30 minutes'");
    for (const [text, days] of [
      ['before it', 4],
      ['at its beginning', 3],
      ['later', 1],
    ] as const)
      await keep(text, days);
    await cache.trim(0);
    expect(await kept('before it', 'at its beginning', 'later')).toEqual(['at its beginning', 'later']);
    await database.dataSource.query("UPDATE cached_replies SET used_at = now() - interval '3 days'");
    await database.dataSource.query('UPDATE training_runs SET finished_at = now()');
    await cache.trim(1);
    expect(await database.dataSource.getRepository(CachedReply).count()).toBe(1);
  });
});
