import type { EntityManager } from 'typeorm';
import { ArtifactMissing, type ArtifactStore } from '../../infra/artifacts/artifact-store.js';
import { Policy, TrainingRun } from '../../infra/database/entities/index.js';
import { badRequest } from './api-error.js';

/** A committed policy `<run>@<step>` of a run of the project. */
export interface KnownPolicy {
  name: string;
  sha256: string;
  /** Registered name of the model that it was trained on. */
  model: string;
  /** Its directory, which stands until it is collected. */
  uri: string;
}

/** Written last: a directory without it is not a policy. */
const MANIFEST = 'manifest.json';

export async function findPolicy(
  manager: EntityManager,
  project: string,
  name: string,
): Promise<KnownPolicy | undefined> {
  const at = name.lastIndexOf('@');
  const [runId, step] = [name.slice(0, at), Number(name.slice(at + 1))];
  const run = await manager.findOneBy(TrainingRun, { project, id: runId });
  const policy = run && (await manager.findOneBy(Policy, { runId, step }));
  return policy ? { name, sha256: policy.sha256, model: run.config.model, uri: policy.uri } : undefined;
}

/**
 * Refuses policies whose files do not stand. To be called in the transaction that has written a row which uses them: a
 * collection waits for its end and keeps what the row names, so that what stands now stays.
 * @param param where they were named
 * @throws ApiError 400
 */
export async function requireStanding(
  artifacts: ArtifactStore,
  param: string,
  policies: readonly KnownPolicy[],
): Promise<void> {
  for (const { name, uri } of policies) {
    if (await stands(artifacts, uri)) continue;
    const kept = 'its run keeps policy 0, the newest two, the best, and those of its checkpoints';
    throw badRequest('policy_collected', `${param}: ${name} was collected: ${kept}.`, { param });
  }
}

async function stands(artifacts: ArtifactStore, uri: string): Promise<boolean> {
  try {
    await artifacts.readFile(`${uri}/${MANIFEST}`);
    return true;
  } catch (error) {
    if (error instanceof ArtifactMissing) return false;
    throw error;
  }
}
