import type { DataSource } from 'typeorm';
import type { ArtifactStore } from '../../infra/artifacts/artifact-store.js';
import { removeRunDirectory, runDirectory } from '../../infra/artifacts/run-directory.js';
import { Batch } from '../../infra/database/entities/index.js';
import { isOfRemoved } from '../../infra/database/removed.js';
import type {
  BatchHeader,
  FreezeBatchInput,
  FreezeRecordedBatchInput,
  FrozenBatch,
} from '../../contracts/agent-activities.js';
import { encodeBatch, type BatchRow } from './batch-file.js';
import { readBatchRows } from './batch-rows.js';
import { drawRecordedRows } from './recorded-rows.js';

/** The trainer reads no other: they change with the format of the batch and the maths of the step (I4). */
const FORMAT = 3;
const TRAINER_VERSION = 'flow-grpo-4';

export interface FreezeDependencies {
  dataSource: DataSource;
  artifacts: ArtifactStore;
}

/** The batch of a step that learns from its own rollouts: the planner turns of its groups. */
export function freezeBatch(dependencies: FreezeDependencies, input: FreezeBatchInput): Promise<FrozenBatch> {
  const { training, temperature, responseLimit, groups, draws } = input;
  const own = { training, temperature, response_limit: responseLimit, groups: groups.length, draws };
  return freezeOnce(
    dependencies,
    input,
    () => readBatchRows(dependencies.dataSource, input),
    () => own,
  );
}

/** The batch of a step that learns from recorded planner turns of another run. */
export function freezeRecordedBatch(
  dependencies: FreezeDependencies,
  input: FreezeRecordedBatchInput,
): Promise<FrozenBatch> {
  const own = (rows: BatchRow[]) => ({
    training: input.training,
    temperature: 1,
    response_limit: Math.max(1, ...rows.map(({ responseTokenIds }) => responseTokenIds.length)),
    groups: rows.length,
    draws: rows.length,
  });
  return freezeOnce(dependencies, input, () => drawRecordedRows(dependencies.dataSource, input), own);
}

/**
 * Writes every input of the step into one file, then its row, once (I4): a batch that exists for (run, step, revision)
 * is returned as it is. Attempts that race write equal bytes. Of a run that was deleted nothing is left.
 */
async function freezeOnce(
  { dataSource, artifacts }: FreezeDependencies,
  header: BatchHeader,
  readRows: () => Promise<BatchRow[]>,
  metadata: (rows: BatchRow[]) => Record<string, unknown>,
): Promise<FrozenBatch> {
  const stored = await findBatch(dataSource, header);
  if (stored) return stored;
  const rows = await readRows();
  const content = encodeBatch(rows, { ...headerMetadata(header), ...metadata(rows) });
  const file = await artifacts.writeFile(batchPath(header), content);
  try {
    await dataSource
      .createQueryBuilder()
      .insert()
      .into(Batch)
      .values({ ...place(header), ...file, samples: rows.length, policySha256: header.policy.sha256 })
      .orIgnore()
      .updateEntity(false)
      .execute();
  } catch (error) {
    if (isOfRemoved(error)) await removeRunDirectory(artifacts, header.runId);
    throw error;
  }
  const first = await findBatch(dataSource, header);
  if (!first) throw new Error(`The row of batch ${header.step} of ${header.runId} was deleted.`);
  return first;
}

async function findBatch(dataSource: DataSource, header: BatchHeader): Promise<FrozenBatch | undefined> {
  const batch = await dataSource.getRepository(Batch).findOneBy(place(header));
  if (!batch) return undefined;
  const { step, uri, sha256, samples, bytes } = batch;
  return { step, uri, sha256, samples, bytes };
}

function place({ runId, step, revision }: BatchHeader): { runId: string; step: number; revision: number } {
  return { runId, step, revision };
}

function batchPath({ runId, step, revision }: BatchHeader): string {
  const suffix = revision > 0 ? `.${revision}` : '';
  return `${runDirectory(runId)}/batches/${String(step).padStart(6, '0')}${suffix}.arrow`;
}

/** No times, attempts or host names (I5). */
function headerMetadata(header: BatchHeader): Record<string, unknown> {
  return {
    format: FORMAT,
    trainer_version: TRAINER_VERSION,
    run_id: header.runId,
    step: header.step,
    policy: header.policy,
    reference: header.reference ?? null,
    model: header.model,
    seed: header.seed,
    decision: { skip_groups: header.decision.skipGroups, skip_step: header.decision.skipStep },
    identity: header.identity,
    ...(header.allowed && { allowed: header.allowed }),
  };
}
