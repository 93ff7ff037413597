import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = ['model_replies', 'rollouts', 'tool_calls', 'turns'];

/**
 * Ids of flows are compared byte by byte, whatever the collation of the database: then their primary keys find what
 * begins with the id of a run. The keys are built anew; the tables stay.
 */
export class FlowIdsByBytes1795964400000 implements MigrationInterface {
  name = 'FlowIdsByBytes1795964400000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const table of TABLES) {
      await queryRunner.query(`ALTER TABLE ${table} ALTER COLUMN flow_id TYPE text COLLATE "C"`);
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of TABLES) {
      await queryRunner.query(`ALTER TABLE ${table} ALTER COLUMN flow_id TYPE text COLLATE "default"`);
    }
  }
}
