import type { DataSource, EntityManager } from 'typeorm';
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
import { advantagesOf, writeAdvantages, type RolloutAdvantage } from './advantages.js';
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

/** What differs between batches. */
interface Content {
  rows: () => Promise<BatchRow[]>;
  /** What the file says of itself besides its header. */
  metadata: (rows: BatchRow[]) => Record<string, unknown>;
  /** Of the step's own rollouts. */
  advantages: (rows: BatchRow[]) => RolloutAdvantage[];
}

/** The batch of a step that learns from its own rollouts: the planner turns of its groups. */
export function freezeBatch(dependencies: FreezeDependencies, input: FreezeBatchInput): Promise<FrozenBatch> {
  const { training, temperature, responseLimit, groups, draws } = input;
  return freezeOnce(dependencies, input, {
    rows: () => readBatchRows(dependencies.dataSource, input),
    metadata: () => ({ training, temperature, response_limit: responseLimit, groups: groups.length, draws }),
    advantages: (rows) => advantagesOf(rows, training, input.decision),
  });
}

/** The batch of a step that learns from recorded planner turns of another run. */
export function freezeRecordedBatch(
  dependencies: FreezeDependencies,
  input: FreezeRecordedBatchInput,
): Promise<FrozenBatch> {
  return freezeOnce(dependencies, input, {
    rows: () => drawRecordedRows(dependencies.dataSource, input),
    metadata: (rows) => ({
      training: input.training,
      temperature: 1,
      response_limit: Math.max(1, ...rows.map(({ responseTokenIds }) => responseTokenIds.length)),
      groups: rows.length,
      draws: rows.length,
    }),
    advantages: () => [],
  });
}

/**
 * Writes every input of the step into one file, then its row, once (I4): a batch that exists for (run, step, revision)
 * is returned as it is. Attempts that race write equal bytes. Whose row is the first also writes the advantages of the
 * rollouts, with it. Of a run that was deleted nothing is left.
 */
async function freezeOnce(
  { dataSource, artifacts }: FreezeDependencies,
  header: BatchHeader,
  content: Content,
): Promise<FrozenBatch> {
  const stored = await findBatch(dataSource, header);
  if (stored) return stored;
  const rows = await content.rows();
  const bytes = encodeBatch(rows, { ...headerMetadata(header), ...content.metadata(rows) });
  const file = await artifacts.writeFile(batchPath(header), bytes);
  const row = { ...place(header), ...file, samples: rows.length, policySha256: header.policy.sha256 };
  try {
    await dataSource.transaction(async (manager) => {
      const isFirst = await insertBatch(manager, row);
      if (isFirst) await writeAdvantages(manager, header, content.advantages(rows));
    });
  } catch (error) {
    if (isOfRemoved(error)) await removeRunDirectory(artifacts, header.runId);
    throw error;
  }
  const first = await findBatch(dataSource, header);
  if (!first) throw new Error(`The row of batch ${header.step} of ${header.runId} was deleted.`);
  return first;
}

/** @returns whether there was no row of the batch */
async function insertBatch(manager: EntityManager, row: Omit<Batch, 'createdAt'>): Promise<boolean> {
  const inserted = await manager
    .createQueryBuilder()
    .insert()
    .into(Batch)
    .values(row)
    .orIgnore()
    .returning(['step'])
    .updateEntity(false)
    .execute();
  return (inserted.raw as unknown[]).length > 0;
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
