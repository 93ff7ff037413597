import type { DataSource } from 'typeorm';
import type { Outcome } from '../../workflows/contracts/flow.js';
import type { Grading } from '../../workflows/contracts/scoring.js';

/** What is known of one flow of an evaluation. */
export interface FlowRow {
  /** Place of its cell. */
  cell: number;
  queryId: string;
  family: string;
  outcome: Outcome;
  reward: number | null;
  turns: number;
  tools: string[];
  grading: Grading | null;
  /** Of the language-model calls of its turns; null where there were none. */
  tokens: number | null;
  cost: number | null;
  seconds: number | null;
}

/**
 * Every recorded flow, by cell, question and trial: in the order of its coordinates, so that equal flows make equal
 * reports, whoever finished first.
 */
export async function readFlows(dataSource: DataSource, id: string): Promise<FlowRow[]> {
  return dataSource.query<FlowRow[]>(
    `SELECT r.step AS cell, r.query_id AS "queryId", r.family, r.outcome, r.reward, r.turns, r.tools, r.grading,
            used.tokens, used.cost, used.seconds
       FROM rollouts r
       LEFT JOIN LATERAL (
         SELECT sum((call->>'inputTokens')::float8 + (call->>'outputTokens')::float8) AS tokens,
                sum((call->>'cost')::float8) AS cost,
                sum((call->>'seconds')::float8) AS seconds
           FROM turns t, jsonb_array_elements(t.calls) call
          WHERE t.flow_id = r.flow_id AND jsonb_typeof(t.calls) = 'array'
       ) used ON true
      WHERE r.run_id = $1
      ORDER BY r.step, r.group_index, r.rollout_index`,
    [id],
  );
}
