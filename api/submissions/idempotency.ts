import { createHash } from 'node:crypto';
import type { DataSource, EntityManager } from 'typeorm';
import { z } from 'zod';
import { canonicalJson } from '../../infra/artifacts/canonical-json.js';
import { IdempotencyKey } from '../../infra/database/entities/index.js';
import { badRequest, conflict } from '../common/api-error.js';

const keySchema = z.string().regex(/^[\x21-\x7e]{1,255}$/);

/** What makes a repeated request give what the first one gave. */
export interface Idempotency {
  key: string;
  bodySha256: string;
}

/** @throws ApiError 400 if the header `Idempotency-Key` is not a key */
export function readIdempotency(key: string | undefined, body: unknown): Idempotency | undefined {
  if (key === undefined) return undefined;
  if (keySchema.safeParse(key).success) return { key, bodySha256: sha256Of(body) };
  const message = 'The Idempotency-Key must be 1 to 255 printable ASCII characters without spaces.';
  throw badRequest('invalid_idempotency_key', message, { param: 'Idempotency-Key' });
}

/**
 * Creates something in a transaction, or finds what an earlier request with the key created.
 * @param idempotency without it, it is created anew
 * @returns the id of what an earlier request created; then nothing is written
 * @throws ApiError 409 if that request had another body
 */
export async function createOnce(
  dataSource: DataSource,
  place: { project: string; id: string },
  idempotency: Idempotency | undefined,
  create: (manager: EntityManager) => Promise<unknown>,
): Promise<string | undefined> {
  return dataSource.transaction(async (manager) => {
    const earlier = idempotency && (await claimKey(manager, place, idempotency));
    if (earlier === undefined) await create(manager);
    return earlier;
  });
}

/**
 * Takes a key for what is about to be created in the caller's transaction. Inserts first: if two requests create with
 * one key, the second waits here until the first has committed.
 * @returns the id of what an earlier request with this key and body created; then nothing is to be created
 * @throws ApiError 409 if that request had another body
 */
async function claimKey(
  manager: EntityManager,
  { project, id }: { project: string; id: string },
  { key, bodySha256 }: Idempotency,
): Promise<string | undefined> {
  const inserted = await manager
    .createQueryBuilder()
    .insert()
    .into(IdempotencyKey)
    .values({ project, key, bodySha256, submissionId: id })
    .orIgnore()
    .returning(['submissionId'])
    .execute();
  if ((inserted.raw as unknown[]).length > 0) return undefined;
  return madeBy(await manager.findOneByOrFail(IdempotencyKey, { project, key }), bodySha256);
}

/**
 * @returns the id of what an earlier request with this key and body created, if there was one
 * @throws ApiError 409 if that request had another body
 */
export async function findEarlier(
  manager: EntityManager,
  project: string,
  { key, bodySha256 }: Idempotency,
): Promise<string | undefined> {
  const earlier = await manager.findOneBy(IdempotencyKey, { project, key });
  return earlier ? madeBy(earlier, bodySha256) : undefined;
}

function madeBy(earlier: IdempotencyKey, bodySha256: string): string {
  if (earlier.bodySha256 !== bodySha256) throw keyReused(earlier);
  return earlier.submissionId;
}

export function sha256Of(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

function keyReused({ key, submissionId }: IdempotencyKey): Error {
  const message = `The Idempotency-Key "${key}" was used for another request, which made ${submissionId}. Use a new key for a new request.`;
  return conflict('idempotency_key_reused', message, { param: 'Idempotency-Key' });
}
