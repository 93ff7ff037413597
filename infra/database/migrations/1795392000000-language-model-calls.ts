import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Calls of language models: what was said in a turn's row, what it cost the run, and answers kept for equal calls. */
export class LanguageModelCalls1795392000000 implements MigrationInterface {
  name = 'LanguageModelCalls1795392000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE turns ADD template text, ADD calls jsonb');
    await queryRunner.query('ALTER TABLE rollouts ALTER policy_name DROP NOT NULL, ALTER policy_sha256 DROP NOT NULL');
    await queryRunner.query(`CREATE TABLE run_spending (
    run_id text PRIMARY KEY,
    calls integer NOT NULL,
    tokens bigint NOT NULL,
    money double precision NOT NULL
)`);
    await queryRunner.query(`CREATE TABLE cached_replies (
    sha256 text PRIMARY KEY,
    reply jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE run_spending, cached_replies');
    await queryRunner.query('ALTER TABLE turns DROP template, DROP calls');
    await queryRunner.query('ALTER TABLE rollouts ALTER policy_name SET NOT NULL, ALTER policy_sha256 SET NOT NULL');
  }
}
