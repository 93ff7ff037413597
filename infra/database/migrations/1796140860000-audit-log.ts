import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A log of what the API was asked to change. Its rows are completed once, when the request is over, and otherwise neither
 * changed nor deleted, whoever asks.
 */
export class AuditLog1796140860000 implements MigrationInterface {
  name = 'AuditLog1796140860000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE audit_log (
      id text PRIMARY KEY,
      number bigserial CONSTRAINT audit_log_number UNIQUE,
      project text,
      key_id text,
      key_name text,
      method text NOT NULL,
      path text NOT NULL,
      route text,
      target text,
      status integer,
      address text,
      user_agent text,
      request_id text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      finished_at timestamptz
    )`);
    await queryRunner.query('CREATE INDEX audit_log_project_number ON audit_log (project, number)');
    await queryRunner.query(`CREATE FUNCTION keep_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'UPDATE' AND OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL
          AND (NEW.id, NEW.number, NEW.project, NEW.key_id, NEW.key_name, NEW.method, NEW.path, NEW.address, NEW.user_agent,
            NEW.request_id, NEW.created_at)
          IS NOT DISTINCT FROM (OLD.id, OLD.number, OLD.project, OLD.key_id, OLD.key_name, OLD.method, OLD.path, OLD.address,
            OLD.user_agent, OLD.request_id, OLD.created_at) THEN
          RETURN NEW;
        END IF;
        RAISE EXCEPTION 'The audit log is only written to: % refused.', TG_OP;
      END $$`);
    await queryRunner.query(`CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON audit_log
      FOR EACH ROW EXECUTE FUNCTION keep_audit_log()`);
    await queryRunner.query(`CREATE TRIGGER keep_table BEFORE TRUNCATE ON audit_log
      FOR EACH STATEMENT EXECUTE FUNCTION keep_audit_log()`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE audit_log');
    await queryRunner.query('DROP FUNCTION keep_audit_log');
  }
}
