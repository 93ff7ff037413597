import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What agent workers tell of the tools that the operator registered, for those who may only read it. */
export class ToolDescriptions1796160600000 implements MigrationInterface {
  name = 'ToolDescriptions1796160600000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE tool_descriptions (
      name text PRIMARY KEY,
      title text NOT NULL,
      description text NOT NULL,
      input_schema jsonb NOT NULL,
      asks_model boolean NOT NULL,
      repeatable boolean NOT NULL,
      changed_at timestamptz NOT NULL
    )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE tool_descriptions');
  }
}
