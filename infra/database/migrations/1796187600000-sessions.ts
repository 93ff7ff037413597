import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Browsers that have signed in with an API key, and links that let one sign in once. */
export class Sessions1796187600000 implements MigrationInterface {
  name = 'Sessions1796187600000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE sessions (
      sha256 text PRIMARY KEY,
      kind text NOT NULL,
      key_id text NOT NULL,
      expires_at timestamptz NOT NULL
    )`);
    await queryRunner.query('CREATE INDEX sessions_key ON sessions (key_id)');
    await queryRunner.query('CREATE INDEX sessions_expiry ON sessions (expires_at)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE sessions');
  }
}
