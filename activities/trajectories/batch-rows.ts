import type { DataSource } from 'typeorm';
import { Rollout, Turn } from '../../infra/database/entities/index.js';
import type { FreezeBatchInput, Plan } from '../../contracts/agent-activities.js';
import type { PolicyRef } from '../../contracts/artifacts.js';
import { FailureType } from '../../contracts/failures.js';
import { nonRetryable } from '../failures/non-retryable.js';
import type { BatchRow } from './batch-file.js';
import { unpackFloat32, unpackInt32 } from './token-bytes.js';

type BatchRequest = Pick<FreezeBatchInput, 'runId' | 'step' | 'groups' | 'policy'>;

/**
 * The planner turns of the listed rollouts, as rows of the batch.
 * Fails with BatchInvalid where a rollout or a turn is missing, has no reward, or is of another policy (I11).
 */
export async function readBatchRows(dataSource: DataSource, request: BatchRequest): Promise<BatchRow[]> {
  const rollouts = await listedRollouts(dataSource, request);
  const turns = await plannerTurns(
    dataSource,
    rollouts.map(({ flowId }) => flowId),
  );
  return rollouts.flatMap((rollout) => {
    const ofRollout = turns.get(rollout.flowId) ?? [];
    if (ofRollout.length !== rollout.turns || ofRollout.some(({ turn }, index) => turn !== index + 1)) {
      throw invalid(`${rollout.flowId} took ${rollout.turns} turns, but turns ${numbers(ofRollout)} are recorded`);
    }
    return ofRollout.map((turn) => toRow(rollout, turn, request.policy));
  });
}

async function listedRollouts(dataSource: DataSource, { runId, step, groups }: BatchRequest): Promise<Rollout[]> {
  const recorded = await dataSource.getRepository(Rollout).find({
    where: { submissionId: runId, step, purpose: 'train' },
    select: { flowId: true, groupIndex: true, rolloutIndex: true, reward: true, turns: true },
  });
  const byPlace = new Map(recorded.map((rollout) => [`${rollout.groupIndex}/${rollout.rolloutIndex}`, rollout]));
  return groups.flatMap(({ group, rollouts }) =>
    rollouts.map((index) => {
      const rollout = byPlace.get(`${group}/${index}`);
      if (!rollout) throw invalid(`rollout ${index} of group ${group} in step ${step} of ${runId} is not recorded`);
      return rollout;
    }),
  );
}

/** Of a planner turn what a batch is made of: prompts and replies in words are most of it. */
const PLANNED = (
  [
    ...(['flowId', 'turn', 'module', 'output', 'policyName', 'policySha256'] as const),
    ...(['promptTokenIds', 'responseTokenIds', 'logprobs'] as const),
  ] satisfies (keyof Turn)[]
).map((column) => `turn.${column}`);

/** The planner turns of flows, by flow, in their order. */
export async function plannerTurns(dataSource: DataSource, flows: string[]): Promise<Map<string, Turn[]>> {
  // One array parameter: a list of parameters has a limit that large batches pass.
  const turns = await dataSource
    .getRepository(Turn)
    .createQueryBuilder('turn')
    .select(PLANNED)
    .where("turn.module = 'planner' AND turn.flow_id = ANY(:flows)", { flows })
    .orderBy('turn.turn')
    .getMany();
  const byFlow = new Map<string, Turn[]>();
  for (const turn of turns) {
    const ofFlow = byFlow.get(turn.flowId);
    if (ofFlow) ofFlow.push(turn);
    else byFlow.set(turn.flowId, [turn]);
  }
  return byFlow;
}

function toRow(rollout: Rollout, turn: Turn, policy: PolicyRef): BatchRow {
  const where = `turn ${turn.turn} of ${turn.flowId}`;
  if (rollout.reward === null) throw invalid(`${rollout.flowId} has no reward`);
  if (turn.policySha256 !== policy.sha256 || turn.policyName !== policy.name) {
    throw invalid(
      `${where} was planned by ${turn.policyName} (${turn.policySha256}), not by ${policy.name} (${policy.sha256})`,
    );
  }
  return {
    group: rollout.groupIndex,
    rollout: rollout.rolloutIndex,
    turn: turn.turn,
    reward: rollout.reward,
    ...sampledTokens(turn),
  };
}

/** What was sampled in a planner turn. Fails with BatchInvalid where tokens or log-probs are missing. */
export function sampledTokens(
  turn: Turn,
): Pick<BatchRow, 'promptTokenIds' | 'responseTokenIds' | 'logprobs' | 'finishReason'> {
  const { promptTokenIds, responseTokenIds, logprobs } = turn;
  // A response may be empty: a server may end a turn without a token.
  if (!promptTokenIds?.length || !responseTokenIds || logprobs?.length !== responseTokenIds.length) {
    throw invalid(`turn ${turn.turn} of ${turn.flowId} lacks tokens or log-probs`);
  }
  return {
    promptTokenIds: unpackInt32(promptTokenIds),
    responseTokenIds: unpackInt32(responseTokenIds),
    logprobs: unpackFloat32(logprobs),
    finishReason: (turn.output as Plan).finishReason,
  };
}

function numbers(turns: readonly Turn[]): string {
  return turns.map(({ turn }) => turn).join(', ') || 'none';
}

function invalid(what: string): Error {
  return nonRetryable(FailureType.BatchInvalid, `The batch cannot be frozen: ${what}.`);
}
