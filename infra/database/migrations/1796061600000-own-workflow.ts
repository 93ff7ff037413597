import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = ['training_runs', 'agent_flows', 'benchmark_evaluations'];

/** A row knows its own workflow from any other under its id. Rows of older versions do not until their workflow writes them. */
export class OwnWorkflow1796061600000 implements MigrationInterface {
  name = 'OwnWorkflow1796061600000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const table of TABLES) await queryRunner.query(`ALTER TABLE ${table} ADD workflow text`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of TABLES) await queryRunner.query(`ALTER TABLE ${table} DROP COLUMN workflow`);
  }
}
