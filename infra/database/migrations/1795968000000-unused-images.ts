import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A removal knows the pictures of what it removes, and finds quickly whether another question names them. */
export class UnusedImages1795968000000 implements MigrationInterface {
  name = 'UnusedImages1795968000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE removals ADD images jsonb NOT NULL DEFAULT '[]'`);
    await queryRunner.query(
      `CREATE INDEX agent_flows_images ON agent_flows USING gin (images jsonb_path_ops) WHERE images <> '[]'`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX agent_flows_images');
    await queryRunner.query('ALTER TABLE removals DROP images');
  }
}
