import { createHash } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { Rollout, TrainingRun, Turn } from '../../infra/database/entities/index.js';
import { FailureType } from '../../contracts/failures.js';
import type { RecordedTraining } from '../../contracts/training-config.js';
import { randomStream } from '../datasets/random.js';
import { nonRetryable } from '../failures/non-retryable.js';
import type { BatchRow } from './batch-file.js';
import { plannerTurns, sampledTokens } from './batch-rows.js';

interface RecordedTurn {
  flowId: string;
  turn: number;
  reward: number;
}

export interface RecordedDraw {
  step: number;
  seed: number;
  model: string;
  training: RecordedTraining;
  /** `trajectories` is the digest that `trajectoriesDigest` gave when the run began. */
  identity: Record<string, string>;
  /** Another digest where rollouts were added or removed since, and that was allowed. */
  allowed?: Record<string, string>;
}

/**
 * The recorded turns of one step. All turns are shuffled once per pass by the run's seed, and
 * step n takes the n-th slice: a pure function of (seed, step) and of what was recorded when the run began.
 * Fails with WrongIdentity where the recorded trajectories have changed since.
 */
export async function drawRecordedRows(dataSource: DataSource, draw: RecordedDraw): Promise<BatchRow[]> {
  const recorded = await recordedTurns(dataSource, draw.training, draw.model);
  if (digest(recorded) !== { ...draw.identity, ...draw.allowed }.trajectories) {
    throw nonRetryable(
      FailureType.WrongIdentity,
      `The trajectories of ${draw.training.trajectories.run} are not those that this run began with: ` +
        'rollouts were added or removed since. To go on with them as they are, resume it with --allow trajectories.',
    );
  }
  return readRows(dataSource, slice(recorded, draw));
}

/** Identifies the recorded turns that a configuration selects (I8). */
export async function trajectoriesDigest(
  dataSource: DataSource,
  training: RecordedTraining,
  model: string,
): Promise<string> {
  return digest(await recordedTurns(dataSource, training, model));
}

/** Scored training rollouts of the source run, turn by turn, in the order of their coordinates. */
async function recordedTurns(
  dataSource: DataSource,
  training: RecordedTraining,
  model: string,
): Promise<RecordedTurn[]> {
  const { run, from_step: first, to_step: last, minimum_reward: least } = training.trajectories;
  await checkSource(dataSource, run, model);
  const turns = await dataSource
    .getRepository(Rollout)
    .createQueryBuilder('rollout')
    .innerJoin(Turn, 'turn', "turn.flow_id = rollout.flow_id AND turn.module = 'planner'")
    .select(['rollout.flow_id AS "flowId"', 'turn.turn AS turn', 'rollout.reward AS reward'])
    .where("rollout.run_id = :run AND rollout.purpose = 'train'", { run })
    .andWhere('rollout.step BETWEEN :first AND :last AND rollout.reward >= :least', { first, last, least })
    .andWhere('octet_length(turn.response_token_ids) > 0')
    .orderBy('rollout.step')
    .addOrderBy('rollout.group_index')
    .addOrderBy('rollout.rollout_index')
    .addOrderBy('turn.turn')
    .getRawMany<RecordedTurn>();
  if (turns.length === 0) {
    throw nonRetryable(
      FailureType.BadConfiguration,
      `Training run ${run} has no rollout with a reward of at least ${least} in steps ${first} to ${last}.`,
    );
  }
  return turns;
}

async function checkSource(dataSource: DataSource, run: string, model: string): Promise<void> {
  const source = await dataSource.getRepository(TrainingRun).findOneBy({ id: run });
  if (!source) throw nonRetryable(FailureType.NotFound, `There is no training run ${run} to learn from.`);
  if (source.config.model !== model) {
    throw nonRetryable(
      FailureType.WrongIdentity,
      `Training run ${run} recorded tokens of the model ${source.config.model}. They cannot train ${model}.`,
    );
  }
}

function digest(turns: readonly RecordedTurn[]): string {
  const hash = createHash('sha256');
  for (const { flowId, turn, reward } of turns) hash.update(`${flowId}/${turn}/${reward}\n`);
  return hash.digest('hex');
}

function slice(recorded: readonly RecordedTurn[], { seed, step, training }: RecordedDraw): RecordedTurn[] {
  const size = Math.min(training.samples_per_step, recorded.length);
  const perPass = Math.floor(recorded.length / size);
  const pass = Math.floor((step - 1) / perPass);
  const start = ((step - 1) % perPass) * size;
  return randomStream(seed, 'sft', pass)
    .shuffle(recorded)
    .slice(start, start + size);
}

/** Turns as samples that stand alone: the group is the place in the batch. */
async function readRows(dataSource: DataSource, chosen: readonly RecordedTurn[]): Promise<BatchRow[]> {
  const turns = await plannerTurns(
    dataSource,
    chosen.map(({ flowId }) => flowId),
  );
  return chosen.map(({ flowId, turn, reward }, place) => {
    const recorded = turns.get(flowId)?.find((candidate) => candidate.turn === turn);
    if (!recorded) throw nonRetryable(FailureType.BatchInvalid, `Turn ${turn} of ${flowId} is not recorded any more.`);
    return { group: place, rollout: 0, turn, reward, ...sampledTokens(recorded) };
  });
}
