import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Deletions that are under way or done. */
export class Removals1795946400000 implements MigrationInterface {
  name = 'Removals1795946400000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE removals (
    id text NOT NULL PRIMARY KEY,
    project text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    removed_at timestamptz,
    settled boolean NOT NULL DEFAULT false
)`);
    await queryRunner.query('CREATE INDEX removals_open ON removals (id) WHERE NOT settled');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE removals');
  }
}
