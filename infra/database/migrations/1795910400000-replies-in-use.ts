import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A cached reply says when it was used last: the oldest unused go when there are too many. */
export class RepliesInUse1795910400000 implements MigrationInterface {
  name = 'RepliesInUse1795910400000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE cached_replies ADD COLUMN used_at timestamptz NOT NULL DEFAULT now()');
    await queryRunner.query('CREATE INDEX cached_replies_used_at ON cached_replies (used_at)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX cached_replies_used_at');
    await queryRunner.query('ALTER TABLE cached_replies DROP COLUMN used_at');
  }
}
