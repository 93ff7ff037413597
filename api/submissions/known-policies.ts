import { In, type EntityManager } from 'typeorm';
import type { ArtifactStore } from '../../infra/artifacts/artifact-store.js';
import { Policy, TrainingRun } from '../../infra/database/entities/index.js';
import { policyName } from '../../contracts/names.js';
import { badRequest, notFound, type ApiError } from '../common/api-error.js';

/** A committed policy `<run>@<step>` of a run of the project. */
export interface KnownPolicy {
  name: string;
  sha256: string;
  /** Registered name of the model that it was trained on. */
  model: string;
  /** Its directory, which is there until it is collected. */
  uri: string;
}

/** A run that a submission names, by itself or with one of its policies, and the key that names it. */
export interface NamedRun {
  param: string;
  run: string;
  policy?: string;
}

/** Written last: a directory without it is not a policy. */
const MANIFEST = 'manifest.json';

export async function findPolicy(
  manager: EntityManager,
  project: string,
  name: string,
): Promise<KnownPolicy | undefined> {
  const runId = runOfPolicy(name);
  const step = Number(name.slice(runId.length + 1));
  const run = await manager.findOneBy(TrainingRun, { project, id: runId });
  const policy = run && (await manager.findOneBy(Policy, { runId, step }));
  return policy ? { name, sha256: policy.sha256, model: run.config.model, uri: policy.uri } : undefined;
}

/** The steps of a run's policies whose files are there: the directories beside that of any of them, called by step. */
export async function standingSteps(artifacts: ArtifactStore, uri: string): Promise<number[]> {
  const names = await artifacts.names(uri.slice(0, uri.lastIndexOf('/')));
  return names.filter((name) => /^\d{1,9}$/.test(name)).map(Number);
}

export async function isStanding(artifacts: ArtifactStore, { uri }: Pick<KnownPolicy, 'uri'>): Promise<boolean> {
  return artifacts.exists(`${uri}/${MANIFEST}`);
}

export function namedPolicy(param: string, policy: string): NamedRun {
  return { param, run: runOfPolicy(policy), policy };
}

/** Of a path that names it. */
export function unknownPolicy(name: string): ApiError {
  const hint = policyName.safeParse(name).success ? '.' : ': a policy is named <run>@<step>, as in run-abc@12.';
  return notFound('policy_not_found', `There is no policy "${name}"${hint}`, { param: 'id' });
}

/** The run of a policy `<run>@<step>`. */
function runOfPolicy(name: string): string {
  return name.slice(0, name.lastIndexOf('@'));
}

/**
 * Keeps runs from being deleted until the caller's transaction is over. A deletion that waited for it reads the rows
 * that it has written, and refuses. Every transaction that writes an unfinished row which uses runs calls this last, so
 * that no file is read under the lock.
 * @param named the runs, and where each was named
 * @throws ApiError 400 if one was deleted meanwhile
 */
export async function claimRuns(manager: EntityManager, project: string, named: readonly NamedRun[]): Promise<void> {
  if (named.length === 0) return;
  const standing = await manager.find(TrainingRun, {
    select: { id: true },
    where: { project, id: In(named.map(({ run }) => run)) },
    order: { id: 'ASC' },
    lock: { mode: 'for_key_share' },
  });
  const deleted = named.find(({ run }) => !standing.some(({ id }) => id === run));
  if (!deleted) return;
  const { param, run } = deleted;
  throw badRequest('training_run_deleted', `${param}: the training run "${run}" was deleted.`, { param });
}

/**
 * Refuses a policy whose files are not there. Call it in the transaction that has written a row which uses the policy:
 * a collection waits for its end and keeps what the row names, so that files that are there now stay.
 * @param param where it was named
 * @throws ApiError 400
 */
export async function requireStanding(artifacts: ArtifactStore, param: string, policy: KnownPolicy): Promise<void> {
  if (await isStanding(artifacts, policy)) return;
  const kept = 'its run keeps policy 0, the newest two, the best, those of its checkpoints, and pinned ones';
  throw badRequest('policy_collected', `${param}: ${policy.name} was collected: ${kept}.`, { param });
}

/**
 * The same for a policy that a row has named before: it may have been collected, or deleted with its run, since then.
 * @throws ApiError 400
 */
export async function requireNamed(
  manager: EntityManager,
  artifacts: ArtifactStore,
  { project, param, policy: name }: { project: string; param: string; policy: string },
): Promise<void> {
  const policy = await findPolicy(manager, project, name);
  if (!policy) throw badRequest('unknown_policy', `${param}: there is no policy "${name}" any more.`, { param });
  await requireStanding(artifacts, param, policy);
}
