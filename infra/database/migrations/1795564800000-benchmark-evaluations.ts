import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Evaluations of policies on benchmarks, outside of any training run; and how each answer was graded. */
export class BenchmarkEvaluations1795564800000 implements MigrationInterface {
  name = 'BenchmarkEvaluations1795564800000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE benchmark_evaluations (
    id text PRIMARY KEY,
    project text NOT NULL,
    name text NOT NULL,
    config jsonb NOT NULL,
    status text NOT NULL,
    status_version integer NOT NULL DEFAULT 0,
    failure jsonb,
    report jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz
)`);
    await queryRunner.query(
      'CREATE INDEX benchmark_evaluations_project_created ON benchmark_evaluations (project, created_at, id)',
    );
    await queryRunner.query('ALTER TABLE rollouts ADD grading jsonb');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE rollouts DROP grading');
    await queryRunner.query('DROP TABLE benchmark_evaluations');
  }
}
