import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The processes that take work from Temporal, and when each was last there. */
export class Workers1796176800000 implements MigrationInterface {
  name = 'Workers1796176800000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE workers (
      id text PRIMARY KEY,
      kind text NOT NULL,
      identity text NOT NULL,
      started_at timestamptz NOT NULL DEFAULT now(),
      seen_at timestamptz NOT NULL DEFAULT now()
    )`);
    await queryRunner.query('CREATE INDEX workers_seen ON workers (seen_at)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE workers');
  }
}
