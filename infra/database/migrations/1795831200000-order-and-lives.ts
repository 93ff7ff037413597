import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = ['training_runs', 'agent_flows', 'benchmark_evaluations'];

/**
 * What is submitted is numbered in the order of its creation, so that no list depends on a clock; and what a
 * workflow knows of itself is kept, so that another can go on where it is gone.
 */
export class OrderAndLives1795831200000 implements MigrationInterface {
  name = 'OrderAndLives1795831200000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE training_runs ADD state jsonb');
    await queryRunner.query(
      'ALTER TABLE agent_flows ADD budgets integer NOT NULL DEFAULT 1, ADD lives integer NOT NULL DEFAULT 1, ADD turns_at_end jsonb',
    );
    for (const table of TABLES) {
      await queryRunner.query(`ALTER TABLE ${table} ADD number bigserial`);
      // What is there keeps the order that its lists had.
      await queryRunner.query(`UPDATE ${table} AS r SET number = o.number
        FROM (SELECT id, row_number() OVER (ORDER BY created_at, id) AS number FROM ${table}) AS o WHERE o.id = r.id`);
      await queryRunner.query(`CREATE INDEX ${table}_project_number ON ${table} (project, number)`);
      await queryRunner.query(`DROP INDEX ${table}_project_created`);
    }
    await queryRunner.query('DROP INDEX agent_flows_unfinished');
    await queryRunner.query('CREATE INDEX agent_flows_unfinished ON agent_flows (number) WHERE finished_at IS NULL');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX agent_flows_unfinished');
    for (const table of TABLES) {
      await queryRunner.query(`CREATE INDEX ${table}_project_created ON ${table} (project, created_at, id)`);
      await queryRunner.query(`ALTER TABLE ${table} DROP number`);
    }
    await queryRunner.query(
      'CREATE INDEX agent_flows_unfinished ON agent_flows (created_at) WHERE finished_at IS NULL',
    );
    await queryRunner.query('ALTER TABLE agent_flows DROP budgets, DROP lives, DROP turns_at_end');
    await queryRunner.query('ALTER TABLE training_runs DROP state');
  }
}
