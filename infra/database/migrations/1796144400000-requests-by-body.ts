import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A request that is sent again without an Idempotency-Key is found by its body. */
export class RequestsByBody1796144400000 implements MigrationInterface {
  name = 'RequestsByBody1796144400000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('CREATE INDEX idempotency_keys_body ON idempotency_keys (project, body_sha256)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX idempotency_keys_body');
  }
}
