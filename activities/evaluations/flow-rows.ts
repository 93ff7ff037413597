import type { DataSource } from 'typeorm';
import type { Outcome } from '../../contracts/flow.js';
import type { Grading } from '../../contracts/scoring.js';

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
  answer: string | null;
  grading: Grading | null;
  /** Of the calls of language models in its turns, the policy's too; null where there were none. The judge is no part of it. */
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
    `SELECT r.step AS cell, r.query_id AS "queryId", r.family, r.outcome, r.reward, r.turns, r.tools, r.answer, r.grading,
            used.tokens, used.cost, used.seconds
       FROM rollouts r
       LEFT JOIN LATERAL (
         SELECT sum(asked.tokens) AS tokens, sum(asked.cost) AS cost, sum(asked.seconds) AS seconds
           FROM turns t
          CROSS JOIN LATERAL (
            SELECT (call->>'inputTokens')::float8 + (call->>'outputTokens')::float8 AS tokens,
                   (call->>'cost')::float8 AS cost,
                   (call->>'seconds')::float8 AS seconds
              FROM jsonb_array_elements(t.calls) call
             UNION ALL
            SELECT (octet_length(t.prompt_token_ids) + octet_length(t.response_token_ids)) / 4,
                   NULL,
                   (t.output->>'seconds')::float8
             WHERE t.response_token_ids IS NOT NULL
          ) asked
          WHERE t.flow_id = r.flow_id AND t.module <> 'judge'
       ) used ON true
      WHERE r.run_id = $1
      ORDER BY r.step, r.group_index, r.rollout_index`,
    [id],
  );
}
