import type { MigrationInterface, QueryRunner } from 'typeorm';

/** An asked flow is paused where its budget is spent. */
export class PausedFlows1795651200000 implements MigrationInterface {
  name = 'PausedFlows1795651200000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE agent_flows ADD paused_at timestamptz');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE agent_flows DROP paused_at');
  }
}
