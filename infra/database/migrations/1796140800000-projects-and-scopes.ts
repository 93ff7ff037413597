import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Every table whose rows say which project they belong to. */
const TABLES = ['api_keys', 'training_runs', 'agent_flows', 'benchmark_evaluations', 'idempotency_keys', 'removals'];

/**
 * Projects are rows, and keys have names and scopes. The projects that rows name are there from the beginning; a key that
 * is there keeps working and may do everything, as it could before.
 */
export class ProjectsAndScopes1796140800000 implements MigrationInterface {
  name = 'ProjectsAndScopes1796140800000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE projects (
      id text PRIMARY KEY,
      number bigserial CONSTRAINT projects_number UNIQUE,
      created_at timestamptz NOT NULL DEFAULT now()
    )`);
    const named = TABLES.map((table) => `SELECT project AS id FROM ${table}`).join(' UNION ');
    await queryRunner.query(`INSERT INTO projects (id)
      SELECT id FROM (SELECT 'default' AS id UNION ${named}) AS named ORDER BY id <> 'default', id`);
    await queryRunner.query(`ALTER TABLE api_keys
      ADD name text NOT NULL DEFAULT 'unnamed',
      ADD scopes jsonb NOT NULL DEFAULT '["read", "submit", "admin"]',
      ADD prefix text,
      ADD number bigserial,
      ADD expires_at timestamptz,
      ADD last_used_at timestamptz`);
    await queryRunner.query('ALTER TABLE api_keys ALTER name DROP DEFAULT, ALTER scopes DROP DEFAULT');
    await queryRunner.query(`UPDATE api_keys AS k SET number = o.number
      FROM (SELECT id, row_number() OVER (ORDER BY created_at, id) AS number FROM api_keys) AS o WHERE o.id = k.id`);
    await queryRunner.query('CREATE INDEX api_keys_project_number ON api_keys (project, number)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX api_keys_project_number');
    await queryRunner.query(
      'ALTER TABLE api_keys DROP name, DROP scopes, DROP prefix, DROP number, DROP expires_at, DROP last_used_at',
    );
    await queryRunner.query('DROP TABLE projects');
  }
}
