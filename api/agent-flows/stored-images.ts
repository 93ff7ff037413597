import { createHash } from 'node:crypto';
import { basename } from 'node:path/posix';
import type { DataSource, EntityManager } from 'typeorm';
import type { ImageRef } from '../../contracts/flow.js';
import type { ArtifactStore } from '../../infra/artifacts/artifact-store.js';
import type { QuestionImage } from './dto/question.dto.js';

/** First half of the keys of the advisory locks on pictures; the second half is the picture. */
const LOCKS = 4_126_532;
const USED = `SELECT EXISTS (SELECT FROM agent_flows WHERE images <> '[]' AND images @> $1::jsonb) AS used`;

/** Writes pictures into the artifact store under their sha256, so that the same picture is there once. */
export async function storeImages(artifacts: ArtifactStore, images: readonly QuestionImage[]): Promise<ImageRef[]> {
  return Promise.all(images.map((image) => store(artifacts, image)));
}

async function store(artifacts: ArtifactStore, { media_type: mediaType, data }: QuestionImage): Promise<ImageRef> {
  const content = Buffer.from(data, 'base64');
  const name = createHash('sha256').update(content).digest('hex');
  const { uri, sha256 } = await artifacts.writeFile(`images/${name}`, content);
  return { uri, sha256, mediaType };
}

/**
 * Makes sure that the pictures of a question are there when the caller's transaction commits, which has written the row
 * that names them: none is removed before. A picture that was removed since it was stored is stored again.
 */
export async function keepImages(
  manager: EntityManager,
  artifacts: ArtifactStore,
  images: readonly QuestionImage[],
  refs: readonly ImageRef[],
): Promise<void> {
  // Always in the same order, as everybody who takes several of these locks does: two of them cannot block each other.
  for (const sha256 of refs.map((ref) => ref.sha256).toSorted()) {
    await manager.query(`SELECT pg_advisory_xact_lock_shared(${LOCKS}, hashtext($1))`, [sha256]);
  }
  for (const [i, { uri }] of refs.entries()) {
    if (!(await artifacts.exists(uri))) await store(artifacts, images[i]);
  }
}

/** Removes the given pictures that no question names. May be repeated; a process that dies leaves the rest. */
export async function removeUnusedImages(
  dataSource: DataSource,
  artifacts: ArtifactStore,
  refs: readonly ImageRef[],
): Promise<void> {
  for (const { uri, sha256 } of refs) {
    const path = `images/${basename(uri)}`;
    await dataSource.transaction(async (manager) => {
      await manager.query(`SELECT pg_advisory_xact_lock(${LOCKS}, hashtext($1))`, [sha256]);
      const [{ used }] = await manager.query<[{ used: boolean }]>(USED, [JSON.stringify([{ sha256 }])]);
      if (!used) await artifacts.discard(path);
    });
    await artifacts.deleteDiscarded(path);
  }
}
