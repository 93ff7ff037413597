import type { DataSource } from 'typeorm';
import type { ArtifactStore } from '../../infra/artifacts/artifact-store.js';
import { Batch } from '../../infra/database/entities/index.js';
import type { FreezeBatchInput, FrozenBatch } from '../../workflows/contracts/agent-activities.js';
import { encodeBatch } from './batch-file.js';
import { readBatchRows } from './batch-rows.js';

/** The trainer reads no other: it changes with the format of the batch and the maths of the step (I4). */
const FORMAT = 1;
const TRAINER_VERSION = 'flow-grpo-1';

export interface FreezeDependencies {
  dataSource: DataSource;
  artifacts: ArtifactStore;
}

/**
 * Writes every input of the step into one file, then its row, once (I4): a batch that exists for (run, step) is
 * returned as it is. Attempts that race write equal bytes.
 */
export async function freezeBatch(dependencies: FreezeDependencies, input: FreezeBatchInput): Promise<FrozenBatch> {
  const { dataSource, artifacts } = dependencies;
  const stored = await findBatch(dataSource, input);
  if (stored) return stored;
  const rows = await readBatchRows(dataSource, input);
  const file = await artifacts.writeFile(batchPath(input), encodeBatch(rows, batchMetadata(input)));
  await dataSource
    .createQueryBuilder()
    .insert()
    .into(Batch)
    .values({ ...place(input), ...file, samples: rows.length, policySha256: input.policy.sha256 })
    .orIgnore()
    .updateEntity(false)
    .execute();
  const first = await findBatch(dataSource, input);
  if (!first) throw new Error(`The row of batch ${input.step} of ${input.runId} was deleted.`);
  return first;
}

async function findBatch(dataSource: DataSource, input: FreezeBatchInput): Promise<FrozenBatch | undefined> {
  const batch = await dataSource.getRepository(Batch).findOneBy(place(input));
  if (!batch) return undefined;
  const { step, uri, sha256, samples, bytes } = batch;
  return { step, uri, sha256, samples, bytes };
}

function place({ runId, step }: FreezeBatchInput): { runId: string; step: number } {
  return { runId, step };
}

function batchPath({ runId, step }: FreezeBatchInput): string {
  return `runs/${runId}/batches/${String(step).padStart(6, '0')}.arrow`;
}

/** No times, attempts or host names (I5). */
function batchMetadata(input: FreezeBatchInput): Record<string, unknown> {
  return {
    format: FORMAT,
    trainer_version: TRAINER_VERSION,
    run_id: input.runId,
    step: input.step,
    policy: input.policy,
    model: input.model,
    seed: input.seed,
    temperature: input.temperature,
    training: input.training,
    groups: input.groups.length,
    identity: input.identity,
  };
}
