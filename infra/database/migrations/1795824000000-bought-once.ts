import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Replies of language models before anything depends on them, and calls of tools that may not be repeated (I15). */
export class BoughtOnce1795824000000 implements MigrationInterface {
  name = 'BoughtOnce1795824000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE model_replies (
    flow_id text NOT NULL,
    turn integer NOT NULL,
    module text NOT NULL,
    request_sha256 text NOT NULL,
    occurrence integer NOT NULL,
    attempt text NOT NULL,
    reply jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (flow_id, turn, module, request_sha256, occurrence)
)`);
    await queryRunner.query(`CREATE TABLE tool_calls (
    flow_id text NOT NULL,
    turn integer NOT NULL,
    tool text NOT NULL,
    attempt text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (flow_id, turn)
)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE model_replies, tool_calls');
  }
}
