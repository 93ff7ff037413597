import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Datasets that projects uploaded. */
export class UploadedDatasets1796180400000 implements MigrationInterface {
  name = 'UploadedDatasets1796180400000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE uploaded_datasets (
      id text PRIMARY KEY,
      project text NOT NULL,
      name text NOT NULL,
      status text NOT NULL,
      format text NOT NULL,
      layout jsonb NOT NULL,
      uri text NOT NULL,
      sha256 text NOT NULL,
      bytes bigint NOT NULL,
      report jsonb,
      mistakes jsonb,
      preview jsonb,
      created_at timestamptz NOT NULL DEFAULT now(),
      checked_at timestamptz,
      CONSTRAINT uploaded_datasets_project_name UNIQUE (project, name)
    )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE uploaded_datasets');
  }
}
