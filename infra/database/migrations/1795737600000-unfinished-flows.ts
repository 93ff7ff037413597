import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What has not ended is found without reading all that has. */
export class UnfinishedFlows1795737600000 implements MigrationInterface {
  name = 'UnfinishedFlows1795737600000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      'CREATE INDEX agent_flows_unfinished ON agent_flows (created_at) WHERE finished_at IS NULL',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX agent_flows_unfinished');
  }
}
