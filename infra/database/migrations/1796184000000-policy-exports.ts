import type { MigrationInterface, QueryRunner } from 'typeorm';

const OWNERS_BEFORE = ['training_runs', 'agent_flows', 'benchmark_evaluations'];
const AT_COMMIT = 'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW';

/** Policies that are copied for download. Their project is told of them as of evaluations. */
export class PolicyExports1796184000000 implements MigrationInterface {
  name = 'PolicyExports1796184000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE policy_exports (
      id text PRIMARY KEY,
      project text NOT NULL,
      policy_name text NOT NULL,
      policy_sha256 text NOT NULL,
      merged boolean NOT NULL,
      files jsonb,
      status text NOT NULL,
      status_version integer NOT NULL DEFAULT 0,
      workflow text,
      failure jsonb,
      number bigserial NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      started_at timestamptz,
      finished_at timestamptz
    )`);
    await queryRunner.query('CREATE INDEX policy_exports_project_number ON policy_exports (project, number)');
    await defineOwners(queryRunner, [...OWNERS_BEFORE, 'policy_exports']);
    for (const [when, name, kind] of [
      ['AFTER INSERT', 'creation', 'status'],
      ['AFTER UPDATE', 'status', 'status'],
      ['AFTER DELETE', 'deletion', 'deletion'],
    ]) {
      const changed = when === 'AFTER UPDATE' ? 'WHEN (NEW.status IS DISTINCT FROM OLD.status)' : '';
      await queryRunner.query(`CREATE CONSTRAINT TRIGGER tell_project_of_${name} ${when} ON policy_exports
        ${AT_COMMIT} ${changed} EXECUTE FUNCTION tell_project_of_${kind}('export')`);
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await defineOwners(queryRunner, OWNERS_BEFORE);
    await queryRunner.query('DROP TABLE policy_exports');
  }
}

/** What keeps a late writer's row out once its owner was deleted (the migration NothingAfterRemoval). */
async function defineOwners(queryRunner: QueryRunner, tables: string[]): Promise<void> {
  const found = tables
    .map((table) => `  PERFORM FROM ${table} WHERE id = owner FOR KEY SHARE;\n  IF FOUND THEN RETURN; END IF;\n`)
    .join('');
  await queryRunner.query(`CREATE OR REPLACE FUNCTION refuse_if_removed(owner text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
${found}  PERFORM FROM removals WHERE id = owner;
  IF FOUND THEN
    RAISE EXCEPTION '% was deleted: nothing is written of it any more', owner USING ERRCODE = 'RM001';
  END IF;
END $$`);
}
